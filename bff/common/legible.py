"""Removes invisible characters from names that other parties chose.

The interstitial page asks a person to decide by names. Invisible characters (blanks and Unicode's
Default_Ignorable_Code_Point) and bidirectional controls (UAX 9) could make one name look like another, or
like none.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc\U0001d159")
"""Invisible although Unicode's category says letter or symbol: Hangul fillers, the empty Braille cell, ..."""
_JOINERS: Final = frozenset("\u200c\u200d")
"""Zero-width (non-)joiner: part of the spelling, for example in Persian and in emoji."""
_MARKS: Final = frozenset({"Mn", "Me"})
"""Combining marks: drawn onto the character before them."""


def visible_name(name: str | None) -> str | None:
    """The name without invisible characters. None when nothing visible is left."""
    if name is None or not any(map(_has_shape, name)):
        return None
    kept = (item for item in name if not _is_hidden(item) or item in _JOINERS)
    return " ".join("".join(kept).split())


def visible_id(identifier: str) -> str:
    """The id with each invisible character written out, for example as ``<U+200B>``."""
    return "".join(
        f"<U+{ord(item):04X}>" if _is_hidden(item) or (item.isspace() and item != " ") else item
        for item in identifier
    )


def visible_name_and_id(name: str | None, identifier: str) -> tuple[str, str | None]:
    """The name to show, and the id to show beside it. Without a name it is the id, and None beside it."""
    shown, own = visible_name(name), visible_id(identifier)
    return (own, None) if shown in {None, own} else (shown or own, own)


def _has_shape(item: str) -> bool:
    category = unicodedata.category(item)
    return category[0] in "LNPS" and item not in _BLANK


def _is_hidden(item: str) -> bool:
    category = unicodedata.category(item)
    if item in _BLANK or category[0] == "C" or category in {"Zl", "Zp"}:
        return True
    # Variation selectors and other combining marks that draw nothing.
    return category in _MARKS and (
        "\ufe00" <= item <= "\ufe0f"
        or item in "\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f\U00016fe4"
        or "\U000e0100" <= item <= "\U000e01ef"
    )
