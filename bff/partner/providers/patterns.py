"""Matches values that users type against the patterns of a catalogue entry.

The time is linear in the length of the value, whatever the pattern, because pydantic's regular expressions do
not backtrack. With Python's, a common pattern such as ``([a-z]+(-[a-z]+)*)+`` takes twice as long with each
further character, and all other threads wait.
"""

from __future__ import annotations

import functools
import re
from typing import Annotated, Any, Final

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_REASON: Final = re.compile(r"error: (.+)|(Compiled regex exceeds)")
_REASONS: Final = {"Compiled regex exceeds": "it repeats too much"}


class NotPossible(ValueError):
    """The pattern is no regular expression, or one that cannot be matched in linear time."""


def matches(pattern: str, value: str) -> bool:
    """Whether the pattern matches the whole value. Raises ``NotPossible``."""
    try:
        _compiled(pattern).validate_python(value)
    except ValidationError:
        return False
    return True


def require_possible(pattern: str) -> None:
    """Raise ``NotPossible`` if the pattern cannot be matched, with the reason."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise NotPossible(f"is no regular expression: {error}") from None
    _compiled(pattern)


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> TypeAdapter[Any]:
    # What Python calls \Z is \z everywhere else.
    text = _ESCAPED.sub(lambda found: r"\z" if found[1] == "Z" else found[0], pattern)
    whole = rf"\A(?:{text})\z"
    try:
        return TypeAdapter(Annotated[str, StringConstraints(pattern=whole, strict=True)])
    except SchemaError as error:
        found = _REASON.search(str(error))
        reason = (found[1] or _REASONS[found[2]]) if found else "it cannot be matched"
        raise NotPossible(
            f"cannot be matched in linear time ({reason}); write it without look-ahead, look-behind and"
            " back-references"
        ) from None
