"""What a person can see of a text that somebody else chose: a name that cannot be seen is no name.

The interstitial page asks a person to decide by names. Characters without a shape (Unicode's
Default_Ignorable_Code_Point and blanks), and controls that turn the order of others around (UAX 9), could
make one name look like another, or like none.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc\U0001d159")
"""Letters and symbols by their category, and nothing to see: Hangul fillers, the empty Braille cell, ..."""
_JOINERS: Final = frozenset("\u200c\u200d")
"""Between visible characters they are spelling, in Persian and in emoji say."""
_MARKS: Final = frozenset({"Mn", "Me"})
"""What is drawn onto the character before it: alone it is nothing."""


def visible_name(name: str | None) -> str | None:
    """The name without what cannot be seen; None where nothing is left to see."""
    if name is None or not any(map(_has_shape, name)):
        return None
    kept = (item for item in name if not _is_hidden(item) or item in _JOINERS)
    return " ".join("".join(kept).split())


def visible_id(identifier: str) -> str:
    """The id, with ``<U+200B>``, say, for each character that cannot be seen."""
    return "".join(
        f"<U+{ord(item):04X}>" if _is_hidden(item) or (item.isspace() and item != " ") else item
        for item in identifier
    )


def visible_both(name: str | None, identifier: str) -> tuple[str, str | None]:
    """What to call something, and its id to be shown beside that; None where the id is all there is."""
    shown, own = visible_name(name), visible_id(identifier)
    return (own, None) if shown in {None, own} else (shown or own, own)


def _has_shape(item: str) -> bool:
    category = unicodedata.category(item)
    return category[0] in "LNPS" and item not in _BLANK


def _is_hidden(item: str) -> bool:
    category = unicodedata.category(item)
    if item in _BLANK or category[0] == "C" or category in {"Zl", "Zp"}:
        return True
    # Variation selectors and their like: marks by their category, that draw nothing.
    return category in _MARKS and (
        "\ufe00" <= item <= "\ufe0f"
        or item in "\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f\U00016fe4"
        or "\U000e0100" <= item <= "\U000e01ef"
    )
