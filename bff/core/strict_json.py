"""JSON that means one thing: what two readers could read in two ways is refused."""

from __future__ import annotations

import json
from typing import Any


class FaultyJson(ValueError):
    """Not JSON, or JSON that is not taken: the text says why."""


def loads(text: str | bytes) -> Any:
    """The value of ``text`` (RFC 8259). Raises ``FaultyJson``.

    Refused besides what is no JSON: a name that stands twice in an object (of which one reader takes the
    first and another the last), NaN and Infinity, and what is nested too deeply.
    """
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except FaultyJson:
        raise
    except RecursionError:
        raise FaultyJson("it is nested too deeply") from None
    except ValueError:
        raise FaultyJson("it is no JSON, or not UTF-8") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise FaultyJson(f"{twice!r} stands twice in one object; send it once")
    return found


def _no_constant(name: str) -> Any:
    raise FaultyJson(f"{name} is no JSON")
