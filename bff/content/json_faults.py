"""Explains JSON syntax errors to people who do not write JSON every day."""

from __future__ import annotations

import json
from typing import Any, Final


def json_fault(text: str) -> str | None:
    """Say what is wrong with ``text`` as JSON (RFC 8259), with line and column. None if it is valid."""
    try:
        value = json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)
        json.dumps(value, allow_nan=False)
    except json.JSONDecodeError as error:
        return f"this is no JSON: line {error.lineno}, column {error.colno}: {_explanation(error, text)}"
    except _Repeated as error:
        return str(error)
    except RecursionError:
        return "this is no JSON: it is nested too deeply"
    except ValueError as error:
        return f"this is no JSON: {error}"
    return None


class _Repeated(ValueError):
    """A name stands twice in an object."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise _Repeated(
                f"the name {json.dumps(name, ensure_ascii=False)} stands twice; pages get the last"
            )
        values[name] = value
    return values


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is a number in JavaScript only; write a number, or null")


def _explanation(error: json.JSONDecodeError, text: str) -> str:
    at, before = text[error.pos : error.pos + 1], text[: error.pos].rstrip()[-1:]
    if not text.strip():
        return 'nothing is written; write an object, such as {"type": "connected"}'
    # From Python 3.13 on, the parser reports the comma itself.
    if error.msg.startswith("Illegal trailing comma") or (at in {"}", "]"} and before == ","):
        return "there is a comma after the last entry; take it away"
    known = next((text for start, text in _EXPLANATIONS.items() if error.msg.startswith(start)), None)
    if not at and not error.msg.startswith("Unterminated"):
        return "it ends too early; something is missing, a closing brace at the least"
    return known or _bad_value(at)


def _bad_value(at: str) -> str:
    if at in _OTHER_QUOTES:
        return 'put names and texts in straight double quotation marks, "like this"'
    if at.isalpha():
        return "put the text in double quotation marks; only true, false, null and numbers go without"
    return "something is missing here: a text in double quotation marks, a number, true, false or null"


_OTHER_QUOTES: Final = frozenset("'\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb")
_EXPLANATIONS: Final = {
    "Expecting ',' delimiter": (
        'a comma or a closing bracket is missing before this; a quotation mark inside a text is written \\"'
    ),
    "Expecting ':' delimiter": "a colon is missing between the name and its value",
    "Unterminated": "the text that begins here has no quotation mark at its end",
    "Invalid control character": "a line break or a tab stands inside a text; take it out",
    "Extra data": "something stands after the end of the object; take it away",
    "Invalid \\": "a backslash stands here alone; write two of them",
}
"""Explanations by the beginning of the message of Python's parser."""
