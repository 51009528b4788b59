"""Looks up values in a JSON document by a dotted path such as ``data.user.email`` or ``0.tenantId``."""

from __future__ import annotations

import re
from typing import Any, Final

LONGEST: Final = 2000
_UNKEPT: Final = re.compile("[\x00\ud800-\udfff]")
"""Characters that JSON may hold but that cannot be encrypted or stored: NUL and lone surrogates."""


def value_at(document: Any, path: str) -> Any:
    """The value at the path, or None.

    A number indexes into a list. A name applied to a list is looked up in its first item, since many
    responses are lists of one item. Keys that contain dots, such as ``https://example.com/email``, work too.
    """
    name, dot, rest = path.partition(".")
    is_index = name.isascii() and name.isdecimal()
    # A loop: lists may be nested as deep as recursion can go.
    while isinstance(document, list) and document and not is_index:
        document = document[0]
    if isinstance(document, dict):
        if path in document:
            return document[path]
        return value_at(document[name], rest) if dot and name in document else None
    if isinstance(document, list) and document:
        number = int(name[:9])
        if number < len(document):
            return value_at(document[number], rest) if rest else document[number]
    return None


def text_at(document: Any, path: str) -> str | None:
    """The string, number or boolean at the path, as a string. None for anything else, or if empty."""
    return plain_text(value_at(document, path)) or None


def plain_text(value: object) -> str | None:
    """Convert a value to a storable string, or None. Numbers count: many account ids are numeric."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        try:
            return str(value)
        except ValueError:  # an integer with more digits than int() converts
            return None
    return value if isinstance(value, str) and _UNKEPT.search(value) is None else None


def kept_at(document: Any, paths: list[str]) -> dict[str, str]:
    """The strings and numbers at the paths, by path, without those over ``LONGEST`` characters."""
    texts = {path: text_at(document, path) for path in paths}
    return {path: value for path, value in texts.items() if value is not None and len(value) <= LONGEST}
