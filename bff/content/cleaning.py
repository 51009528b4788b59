"""Cleans pasted texts of tabs, line breaks, invisible characters and typographic quotes."""

from __future__ import annotations

import json
import re
from typing import Final

from bff.content.faults import MOST_TEXT
from bff.content.look_fields import FIELDS
from bff.content.named_colours import NAMED
from bff.content.product import MessageFormat

_BREAKS: Final = re.compile("(?<! ) *+[\t-\r\x85\u2028\u2029][ \t-\r\x85\u2028\u2029]*+")
"""Tabs and breaks of any kind, with the spaces around them. Looks at each run of spaces once."""
_INVISIBLE: Final = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x9f\u00ad\u180e\u200b\u2060-\u2064\ufeff]")
"""Invisible characters without a meaning in spelling. Joiners and direction marks have one, and are kept."""
_HARD_SPACE: Final = re.compile("[\u00a0\u2000-\u200a\u202f\u205f]")
"""Spaces of typography. Nobody sees how they differ from a plain one, which programs compare with."""
_STRAY_HARD_SPACE: Final = re.compile(
    "(?<!«)(?<![0-9])[\u00a0\u2007\u202f](?![!?:;»%€])|(?<=[0-9])[\u00a0\u2007\u202f](?![0-9!?:;»%€])"
)
"""A no-break space where typography has none. It belongs before a French colon, and between digits."""
_QUOTES: Final = "\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02"
_QUOTE_ENDS: Final = re.compile(r"\s*(?:[:,}\]]|$)")
_RGB: Final = re.compile(
    r"rgba?\( *(\d{1,3}) *[, ] *(\d{1,3}) *[, ] *(\d{1,3}) *(?:[,/] *(?:1|1\.0|100%) *)?\)", re.ASCII
)
"""``rgb()`` with whole numbers and no transparency, as design tools and browsers copy it."""
_LENGTH: Final = re.compile(r"(\d{1,3}(?:[.,]\d{1,4})?) *(px|rem|em)? *;?", re.ASCII)
_STRAIGHT: Final = str.maketrans(
    {**dict.fromkeys("\u201c\u201d\u201e\u201f\uff02", '"'), **dict.fromkeys("\u2018\u2019\u201a\u201b", "'")}
)


def cleaned(path: str, text: str, form: str = MessageFormat.TEXT) -> str:
    """Clean the text of the entry at ``path``. ``form`` is the format of its message.

    A text of more than ``MOST_TEXT`` characters is left as it is: it cannot be saved or published.
    """
    if len(text) > MOST_TEXT:
        return text
    match path.split("/"):
        case ["messages", _, "text", *_] if form == MessageFormat.JSON:
            return _json(text)
        case ["messages", _, "text", *_]:
            return _message(text)
        case ["words" | "connectors", *_]:
            return _line(_STRAY_HARD_SPACE.sub(" ", text))
        case ["look", field]:
            return _look(field, _line(_HARD_SPACE.sub(" ", text)))
    return text


def _line(text: str) -> str:
    return _INVISIBLE.sub("", _BREAKS.sub(" ", text)).strip()


def _message(text: str) -> str:
    """Clean a message of format ``text``. It may be JSON; a text that begins with a variable is none."""
    line = _line(text)
    if line.startswith("{") and _is_json(straight := _json(line)):
        return straight
    return _line(_HARD_SPACE.sub(" ", text))


def _look(field: str, text: str) -> str:
    match FIELDS[field].kind if field in FIELDS else "":
        case "colour":
            return _colour(text.rstrip(" ;"))
        case "length":
            return _length(text)
        case "font":
            return text.translate(_STRAIGHT).rstrip(" ,;")
    return text


def _colour(text: str) -> str:
    """A colour without ``#``, as ``rgb(29, 78, 216)``, or by a name of CSS, as ``#rrggbb``."""
    if re.fullmatch(r"[0-9A-Fa-f]{6}|[0-9A-Fa-f]{3}", text):
        return "#" + text
    parts = _RGB.fullmatch(text.lower())
    if parts is not None and all(int(part) <= 255 for part in parts.groups()):
        return "#" + "".join(f"{int(part):02x}" for part in parts.groups())
    return NAMED.get(text.lower(), text)


def _length(text: str) -> str:
    """A length without its unit, with a blank before it, in capitals or with a decimal comma."""
    if (parts := _LENGTH.fullmatch(text.lower())) is None:
        return text
    number, unit = parts[1].replace(",", "."), parts[2]
    return "0" if number == "0" and not unit else number + (unit or "px")


def _json(text: str) -> str:
    """Straighten the text if that makes it valid JSON. Otherwise only what cannot be seen goes."""
    text = _INVISIBLE.sub("", text)
    if not _is_json(text) and _is_json(clean := _straightened(text)):
        return clean
    return text


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _straightened(text: str) -> str:
    """Write straight quotation marks around strings and plain spaces between them. Strings are kept."""
    output: list[str] = []
    inside, escaped = "", False
    for place, read in enumerate(text):
        if not inside:
            inside = read if read == '"' or read in _QUOTES else ""
            output.append('"' if inside else _HARD_SPACE.sub(" ", read))
            continue
        quote = read == '"' or read in _QUOTES
        ends = read == inside == '"' or (quote and _QUOTE_ENDS.match(text, place + 1))
        if quote and not escaped and ends:
            inside = ""
            output.append('"')
        elif read == '"' and not escaped:
            output.append('\\"')
        else:
            output.append(" " if read in "\t\n\r" else read)
        escaped = read == "\\" and not escaped
    return "".join(output)
