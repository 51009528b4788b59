"""Why a text is no JSON, in words for somebody who does not write JSON every day, and where."""

from __future__ import annotations

import json
from typing import Any, Final


def json_fault(text: str) -> str | None:
    """What is wrong with ``text`` as JSON (RFC 8259), with line and column; None where nothing is."""
    try:
        json.dumps(json.loads(text, parse_constant=_refuse), allow_nan=False)
    except json.JSONDecodeError as error:
        return f"this is no JSON: line {error.lineno}, column {error.colno}: {_plainly(error, text)}"
    except RecursionError:
        return "this is no JSON: it is nested too deeply"
    except ValueError as error:
        return f"this is no JSON: {error}"
    return None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is a number in JavaScript only; write a number, or null")


def _plainly(error: json.JSONDecodeError, text: str) -> str:
    there, before = text[error.pos : error.pos + 1], text[: error.pos].rstrip()[-1:]
    if not text.strip():
        return 'nothing is written; write an object, such as {"type": "connected"}'
    # Newer versions of Python say it of the comma itself.
    if error.msg.startswith("Illegal trailing comma") or (there in {"}", "]"} and before == ","):
        return "there is a comma after the last entry; take it away"
    said = next((plain for start, plain in _SAID.items() if error.msg.startswith(start)), None)
    if not there and not error.msg.startswith("Unterminated"):
        return "it ends too early; something is missing, a closing brace at the least"
    return said or _of_a_value(there)


def _of_a_value(there: str) -> str:
    if there in _OTHER_QUOTES:
        return 'put names and texts in straight double quotation marks, "like this"'
    if there.isalpha():
        return "put the text in double quotation marks; only true, false, null and numbers go without"
    return "something is missing here: a text in double quotation marks, a number, true, false or null"


_OTHER_QUOTES: Final = frozenset("'\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb")
_SAID: Final = {
    "Expecting ',' delimiter": (
        'a comma or a closing bracket is missing before this; a quotation mark inside a text is written \\"'
    ),
    "Expecting ':' delimiter": "a colon is missing between the name and its value",
    "Unterminated": "the text that begins here has no quotation mark at its end",
    "Invalid control character": "a line break or a tab stands inside a text; take it out",
    "Extra data": "something stands after the end of the object; take it away",
    "Invalid \\": "a backslash stands here alone; write two of them",
}
"""By the beginning of what Python's parser says."""
