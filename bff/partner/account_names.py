"""What a third party calls an account: any text, and the accounts that differ there must differ here."""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256
from typing import Final

MOST: Final = 255
"""Characters that are kept and told."""
_LIKE_OURS: Final = re.compile(r"<(?=U\+[0-9A-F]{4,6}>)")
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc\U0001d159")
"""Letters and symbols by their category, and nothing to see."""


def kept_name(told: str | None) -> str | None:
    """The name as it is kept: no two of the third party's become one, and nothing in it is hidden.

    It stands in receipts, events, lists and pages of hosts. What cannot be seen there, or turns around what
    stands beside it (UAX 9), is written by its number, as ``<U+202E>``. What is too long ends in the
    beginning of its own SHA-256. None for none.
    """
    if not told:
        return None
    written = "".join(map(_visible, _LIKE_OURS.sub("<U+003C>", told[: 2 * MOST])))
    if not written.strip(" "):
        written = "<U+0020>" * min(len(told), 8)
    if len(told) <= MOST and len(written) <= MOST:
        return written
    end = f"\u2026{sha256(told.encode()).hexdigest()[:32]}"
    return written[: MOST - len(end)] + end


def is_same(one: str, other: str) -> bool:
    """Whether two names are one account's. Of an e-mail address the case says nothing."""
    return one.casefold() == other.casefold() if "@" in one and "@" in other else one == other


def _visible(item: str) -> str:
    hidden = item in _BLANK or unicodedata.category(item)[0] == "C" or (item.isspace() and item != " ")
    return f"<U+{ord(item):04X}>" if hidden else item
