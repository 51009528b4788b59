"""Checks of text from outside: both databases must be able to store it, and ids must be safe in URLs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

RESERVED: Final = "\ue000"
"""Routes put this character in place of an encoded slash, so no id may contain it."""

_CONTROL: Final = re.compile("[\x01-\x1f\x7f]")
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def text_fault(text: str) -> str | None:
    """Say why a text cannot be stored, and what to send instead. None for a valid text."""
    match = _UNSTORABLE.search(text)
    if match is None:
        return None
    if match[0] == "\x00":
        return "there is a NUL character in it; leave it out"
    return f"there is half of a surrogate pair in it (U+{ord(match[0]):04X}); send whole characters"


def id_fault(text: str) -> str | None:
    """Say why a text cannot be an id, which also travels in headers and URL paths. None for a valid one."""
    if fault := text_fault(text):
        return fault
    if RESERVED in text:
        return "there is the private-use character U+E000 in it; ids are written without it"
    if _CONTROL.search(text):
        return "there is a control character in it; ids are written without it"
    # HTTP strips it from header values (RFC 9110, section 5.5), which would leave another account's id.
    if text != text.strip():
        return "write it without white space before or after it"
    # Dot segments are resolved in URL paths (RFC 3986, section 5.2.4).
    return "write another id: a dot alone has a meaning of its own in URLs" if text in {".", ".."} else None


def first_fault(document: Any) -> str | None:
    """The ``text_fault`` of one text in a JSON or TOML document, keys included. None if all are valid."""
    return next(filter(None, map(text_fault, strings_in(document))), None)


def strings_in(document: Any) -> Iterator[str]:
    """All texts in a JSON or TOML document, keys included. It does not recurse, so any nesting is fine."""
    pending = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            pending += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            pending += value
