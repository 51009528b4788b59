"""Normalises account names that third parties send, without making distinct names equal."""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256
from typing import Final

MOST: Final = 255
"""Maximum length of a stored name, in characters."""
_LOOKS_ESCAPED: Final = re.compile(r"<(?=U\+[0-9A-F]{4,6}>)")
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc\U0001d159")
"""Characters that are invisible although Unicode classes them as letters or symbols."""


def kept_name(name: str | None) -> str | None:
    """Normalise an account name for storage. Distinct names stay distinct. None if empty.

    The name appears in receipts, events, lists and hosts' pages. Invisible characters and bidirectional
    controls (UAX 9) are escaped as ``<U+202E>``. A name of more than 255 characters
    (before or after escaping) is cut, and ends in 32 hexadecimal digits of the SHA-256 of the original.
    """
    if not name:
        return None
    escaped = "".join(map(_visible, _LOOKS_ESCAPED.sub("<U+003C>", name[: 2 * MOST])))
    if not escaped.strip(" "):
        escaped = "<U+0020>" * min(len(name), 8)
    if len(name) <= MOST and len(escaped) <= MOST:
        return escaped
    suffix = f"\u2026{sha256(name.encode()).hexdigest()[:32]}"
    return escaped[: MOST - len(suffix)] + suffix


def is_same(one: str, other: str) -> bool:
    """Whether two names denote the same account. E-mail addresses compare case-insensitively."""
    return one.casefold() == other.casefold() if "@" in one and "@" in other else one == other


def _visible(item: str) -> str:
    hidden = item in _BLANK or unicodedata.category(item)[0] == "C" or (item.isspace() and item != " ")
    return f"<U+{ord(item):04X}>" if hidden else item
