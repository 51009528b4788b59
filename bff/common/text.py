"""Which text is taken at the doors: what both databases keep, and what no encoding of ours stands on."""

from __future__ import annotations

import re
from typing import Any, Final

RESERVED: Final = "\ue000"
"""Routes put it in place of an encoded slash: in an id it would name another account."""

_CONTROL: Final = re.compile("[\x01-\x1f\x7f]")
_UNKEPT: Final = re.compile("[\x00\ud800-\udfff]")


def text_fault(text: str) -> str | None:
    """Why a text is taken nowhere, in words that say what to do; None for nearly every one."""
    found = _UNKEPT.search(text)
    if found is None:
        return None
    if found[0] == "\x00":
        return "there is a NUL character in it; leave it out"
    return f"there is half of a surrogate pair in it (U+{ord(found[0]):04X}); send whole characters"


def id_fault(text: str) -> str | None:
    """The same for an id, which also travels in headers and in paths, wherever it came from."""
    if fault := text_fault(text):
        return fault
    if RESERVED in text:
        return "there is the private-use character U+E000 in it; ids are written without it"
    if _CONTROL.search(text):
        return "there is a control character in it; ids are written without it"
    # Headers lose such space on their way (RFC 9110, section 5.5): it would name another account.
    if text != text.strip():
        return "write it without white space before or after it"
    # In the paths of URLs these two mean another place.
    return "write another id: a dot alone has a meaning of its own in URLs" if text in {".", ".."} else None


def first_fault(document: Any) -> str | None:
    """The fault of the first faulty text in a document of JSON or TOML, names of fields included.

    Without recursion: how deep it is nested is none of this function's business.
    """
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if fault := text_fault(value):
                return fault
        elif isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value
    return None
