"""JSON that means one thing: what two readers could read in two ways is refused."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from bff.common.text import first_fault

MOST_NAMES: Final = 500
"""Names in one object: nothing that is read here has as many, and each costs whoever looks at it."""
MOST_DIGITS: Final = 500
"""Digits of a whole number: reading one costs as the square of their count."""


class FaultyJson(ValueError):
    """Not JSON, or JSON that is not taken: the text says why."""


def loads(text: str | bytes) -> Any:
    """The value of ``text`` (RFC 8259), in UTF-8. Raises ``FaultyJson``.

    Refused besides what is no JSON: a name that stands twice in an object (of which one reader takes the
    first and another the last), NaN and Infinity, numbers that no reader keeps as they are, text that cannot
    be stored, and what is nested too deeply or has too many names in one object.
    """
    try:
        # Decoded here: json would take UTF-16 as well, and halves of surrogate pairs in UTF-8.
        whole = text.decode() if isinstance(text, bytes) else text
        value = json.loads(
            whole,
            object_pairs_hook=_once,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_fraction,
        )
    except FaultyJson:
        raise
    except RecursionError:
        raise FaultyJson("it is nested too deeply") from None
    except ValueError:
        raise FaultyJson("it is no JSON, or not UTF-8") from None
    # What is no text can come only as an escape, as a surrogate can in a text that was decoded elsewhere.
    if ("\\u" in whole or not whole.isascii()) and (fault := first_fault(value)):
        raise FaultyJson(fault)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MOST_NAMES:
        raise FaultyJson(f"one object has {len(pairs)} names; at most {MOST_NAMES} are read")
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise FaultyJson(f"{name[:60]!r} stands twice in one object; send it once")
        found[name] = value
    return found


def _no_constant(name: str) -> Any:
    raise FaultyJson(f"{name} is no JSON")


def _integer(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise FaultyJson(f"there is a number of {len(digits)} digits; none here has more than {MOST_DIGITS}")
    return int(digits)


def _fraction(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise FaultyJson(f"the number {digits[:40]} is too large")
    return value
