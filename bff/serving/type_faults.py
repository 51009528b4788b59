"""Says in plain words what pydantic found wrong with a value, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_NUMBER: Final = "write a number"
_WHOLE: Final = "write a whole number"
_SWITCH: Final = "write true or false"
_INSTEAD: Final[Mapping[str, str]] = {
    "string_type": "write a text",
    "list_type": "write a list",
    "tuple_type": "write a list",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
}
_OBJECTS: Final = frozenset({"model_type", "model_attributes_type", "dict_type"})
_NAMES: Final = "use up to 63 of a-z, 0-9, _ and -, and begin with a letter or a digit"
_FORMS: Final[Mapping[str, str]] = {
    r"^[a-z0-9][a-z0-9_-]{0,62}$": _NAMES,
    r"^[a-z][a-z0-9_-]{0,62}$": "use up to 63 of a-z, 0-9, _ and -, and begin with a letter",
    r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$": "write a language tag such as de or pt-BR",
}
"""What to write for each pattern, instead of showing the pattern."""
_INNER: Final = re.compile(r"\[key\]|str|(?:dict|list)\[.*\]")
"""Parts of pydantic's places that name a type of Python, and no key of the document."""


def place_of(fault: Any) -> list[str]:
    """The keys and numbers that lead to the value in the document."""
    return [str(part) for part in fault["loc"] if not (isinstance(part, str) and _INNER.fullmatch(part))]


def advice_of(fault: Any, an_object: str = "an object") -> str:
    """What is wrong with the value, for one item of ``ValidationError.errors()``.

    ``an_object``: what the format calls a mapping, such as "a table" in TOML.
    """
    kind = fault["type"]
    if kind in _OBJECTS:
        return f"write {an_object}"
    if kind == "string_pattern_mismatch":
        return _FORMS.get(fault["ctx"]["pattern"], fault["msg"])
    return _INSTEAD.get(kind) or str(fault["msg"]).removeprefix("Value error, ")
