"""Parses JSON, and refuses what two parsers may read differently."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from bff.common.text import first_fault

MOST_NAMES: Final = 500
"""Names in one object. No document that is read here has as many; the bound keeps its checks cheap."""
MOST_DIGITS: Final = 500
"""Digits of an integer. Parsing takes quadratic time."""


class FaultyJson(ValueError):
    """Malformed or refused JSON. The message says why."""


def loads(text: str | bytes) -> Any:
    """Parse JSON (RFC 8259); bytes must be UTF-8. Raises ``FaultyJson``.

    Beyond malformed JSON it refuses duplicate names in an object (some parsers take the first value, others
    the last), NaN and Infinity, numbers too large for a float or of too many digits, text that the database
    cannot store, deep nesting, and objects with more than ``MOST_NAMES`` names.
    """
    try:
        # Decoded here, because json.loads also accepts UTF-16, and lone surrogates in UTF-8.
        whole = text.decode() if isinstance(text, bytes) else text
        value = _DECODER.decode(whole)
    except FaultyJson:
        raise
    except RecursionError:
        raise FaultyJson("it is nested too deeply") from None
    except ValueError:
        raise FaultyJson("it is no JSON, or not UTF-8") from None
    # In ASCII without escapes no faulty text can occur, so the walk is skipped.
    if ("\\u" in whole or not whole.isascii()) and (fault := first_fault(value)):
        raise FaultyJson(fault)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MOST_NAMES:
        raise FaultyJson(f"one object has {len(pairs)} names; at most {MOST_NAMES} are read")
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise FaultyJson(f"{name[:60]!r} stands twice in one object; send it once")
        members[name] = value
    return members


def _refuse_constant(name: str) -> Any:
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


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_constant=_refuse_constant,
    parse_int=_integer,
    parse_float=_fraction,
)
