"""What a route says of itself in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel

JSON: Final = "application/json"
HTML: Final = "text/html"
FORM: Final = "application/x-www-form-urlencoded"

Schema = type[BaseModel] | Mapping[str, Any]
"""A JSON Schema. A model, also one inside of it, stands for a reference to the model's schema."""
TEXT: Final[Schema] = {"type": "string"}
OBJECT: Final[Schema] = {"type": "object"}

View = TypeVar("View", bound=Callable[..., Any])
_DECLARED: Final = "openapi_operation"


@dataclass(frozen=True)
class Parameter:
    """A value in the path, the query or a header: a text, unless told. A path's is always required."""

    name: str
    about: str = ""
    where: Literal["path", "query", "header"] = "query"
    required: bool = False
    schema: Schema | None = None


@dataclass(frozen=True)
class Header:
    """A header that an answer always has: a text, unless told."""

    name: str
    about: str
    schema: Schema | None = None


@dataclass(frozen=True)
class Answer:
    """What is answered with one status; ``shape`` is None where there is no body."""

    status: int
    about: str
    shape: Schema | None = None
    media_type: str = JSON
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True)
class Body:
    """What a request brings."""

    shape: type[BaseModel]
    media_type: str = JSON
    required: bool = True

    @classmethod
    def of(
        cls, body: type[BaseModel] | None, form: type[BaseModel] | None, *, required: bool = True
    ) -> Body | None:
        """A JSON body or a form, whichever there is."""
        shape = body or form
        return cls(shape, JSON if body else FORM, required) if shape else None


@dataclass(frozen=True)
class Operation:
    """All but a route's method, its path and its function, whose docstring is summary and description.

    ``security`` has one entry for each way to be let in; the schemes of one entry go together. ``path`` is
    for a rule of many addresses of which one is described; it replaces the rule's.
    """

    answers: tuple[Answer, ...]
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    security: tuple[tuple[str, ...], ...] = ()
    tag: str | None = None
    path: str | None = None


def marked(name: str, value: object) -> Callable[[View], View]:
    """Decorate a route's function, below the decorator that says method and path, with what it declares."""

    def mark(view: View) -> View:
        view.__dict__[name] = value
        return view

    return mark


def declare(operation: Operation) -> Callable[[View], View]:
    """Decorate a route's function with its description."""
    return marked(_DECLARED, operation)


def declared(view: Callable[..., Any]) -> Operation | None:
    """What was declared of a route's function, if anything."""
    found: Operation | None = getattr(view, _DECLARED, None)
    return found


def models_in(schema: object) -> Iterator[type[BaseModel]]:
    """The models that a schema refers to."""
    if isinstance(schema, type):
        yield schema
    elif isinstance(schema, Mapping):
        for value in schema.values():
            yield from models_in(value)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from models_in(value)
