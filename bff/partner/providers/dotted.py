"""Values inside a JSON document, by a dotted path such as ``data.user.email`` or ``0.tenantId``."""

from __future__ import annotations

import re
from typing import Any, Final

LONGEST: Final = 2000
_UNKEPT: Final = re.compile("[\x00\ud800-\udfff]")
"""JSON may hold what can be neither sealed nor stored: NUL, and halves of surrogate pairs."""


def value_at(document: Any, path: str) -> Any:
    """What is at the path; None where nothing is.

    A number takes that member of a list; a name asked of a list is asked of its first member, since many
    answers are lists of one. A name with dots of its own, ``https://example.com/email``, is found too.
    """
    if isinstance(document, dict):
        if path in document:
            return document[path]
        name, dot, rest = path.partition(".")
        return value_at(document[name], rest) if dot and name in document else None
    if isinstance(document, list) and document:
        name, _, rest = path.partition(".")
        if not (name.isascii() and name.isdecimal()):
            return value_at(document[0], path)
        number = int(name[:9])
        if number < len(document):
            return value_at(document[number], rest) if rest else document[number]
    return None


def text_at(document: Any, path: str) -> str | None:
    """The text or the number at the path, as a text; None for anything else, an empty text included."""
    return plain_text(value_at(document, path)) or None


def plain_text(value: object) -> str | None:
    """A text that can be kept. Numbers are texts: many third parties number their accounts."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        try:
            return str(value)
        except ValueError:  # a number of thousands of digits
            return None
    return value if isinstance(value, str) and _UNKEPT.search(value) is None else None


def kept_at(document: Any, paths: list[str]) -> dict[str, str]:
    """What of a document is to be kept, by its path: texts and numbers that are not too long."""
    found = {path: text_at(document, path) for path in paths}
    return {path: text for path, text in found.items() if text is not None and len(text) <= LONGEST}
