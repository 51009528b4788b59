"""The words in which a route is described."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel

from bff.common.errors import EVERY
from bff.web.kit.responses import HTTP_CODES

View = Callable[..., Any]
JSON: Final = "application/json"
HTML: Final = "text/html"
FORM: Final = "application/x-www-form-urlencoded"
PROBLEM: Final = "application/problem+json"

TEXT: Final[Mapping[str, Any]] = {"type": "string"}
OBJECT: Final[Mapping[str, Any]] = {"type": "object"}

STATUS_OF: Final[Mapping[str, int]] = {
    **{code: status for status, code in HTTP_CODES.items()},
    **{kind.code: kind.status for kind in EVERY},
    "internal_error": 500,
}
"""The HTTP status of each error code."""


@dataclass(frozen=True)
class Parameter:
    """A value in the path, the query or a header."""

    name: str
    about: str
    where: Literal["path", "query", "header"] = "query"
    required: bool = False
    schema: Mapping[str, Any] | None = None

    def described(self) -> dict[str, Any]:
        """As a Parameter Object; a path's are always required."""
        return {
            "name": self.name,
            "in": self.where,
            "required": self.required or self.where == "path",
            "description": self.about,
            "schema": dict(self.schema or TEXT),
        }


@dataclass(frozen=True)
class Answer:
    """What is answered with one status: ``shape`` is a model, the schema of a text, or None for no body."""

    status: int
    about: str
    shape: type[BaseModel] | Mapping[str, Any] | None = None
    media_type: str = JSON
    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operation:
    """One method of one path. ``view`` is the route's function: its docstring is what the document says.

    ``security`` has one entry for each way to be let in; the schemes of one entry go together. ``refusals``
    are the codes of the problem documents that it may answer with.
    """

    method: str
    path: str
    view: View
    tag: str
    answers: tuple[Answer, ...]
    refusals: tuple[str, ...] = ()
    security: tuple[tuple[str, ...], ...] = ()
    parameters: tuple[Parameter, ...] = ()
    body: type[BaseModel] | None = None
    body_type: str = JSON


def page(*statuses: int) -> tuple[Answer, ...]:
    """Answers that a person reads."""
    about = {200: "The page.", 500: "Something broke on our side; the page says so."}
    told = "A page that says what went wrong and what to do."
    return tuple(Answer(status, about.get(status, told), TEXT, HTML) for status in statuses)
