"""Classes and decorators with which routes declare their OpenAPI operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel

JSON: Final = "application/json"
HTML: Final = "text/html"
FORM: Final = "application/x-www-form-urlencoded"

Schema = type[BaseModel] | Mapping[str, Any]
"""A JSON Schema. A model in it stands for a reference to the model's schema."""
TEXT: Final[Schema] = {"type": "string"}
OBJECT: Final[Schema] = {"type": "object"}

View = TypeVar("View", bound=Callable[..., Any])
_DECLARED: Final = "openapi_operation"


@dataclass(frozen=True)
class Parameter:
    """A parameter in the path, the query or a header. Without ``schema`` it is a string.

    Path parameters are always required.
    """

    name: str
    about: str = ""
    where: Literal["path", "query", "header"] = "query"
    required: bool = False
    schema: Schema | None = None


@dataclass(frozen=True)
class Header:
    """A header that a response always has. Without ``schema`` it is a string."""

    name: str
    about: str
    schema: Schema | None = None


@dataclass(frozen=True)
class Answer:
    """The response with one status. ``shape`` is None if it has no body."""

    status: int
    about: str
    shape: Schema | None = None
    media_type: str = JSON
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True)
class Body:
    """The body of a request."""

    shape: type[BaseModel]
    media_type: str = JSON
    required: bool = True

    @classmethod
    def of(
        cls, body: type[BaseModel] | None, form: type[BaseModel] | None, *, required: bool = True
    ) -> Body | None:
        """A JSON body or a form, whichever is not None."""
        shape = body or form
        return cls(shape, JSON if body else FORM, required) if shape else None


@dataclass(frozen=True)
class Operation:
    """The declaration of a route. Summary and description are its function's docstring.

    ``security`` has one entry for each alternative; the schemes of an entry are required together. ``path``
    replaces the path of the URL rule, for a rule of which only one path is described.
    """

    answers: tuple[Answer, ...]
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    security: tuple[tuple[str, ...], ...] = ()
    tag: str | None = None
    path: str | None = None


def marked(name: str, value: object) -> Callable[[View], View]:
    """Decorate a route's function with the attribute ``name``. Use it below the route decorator."""

    def mark(view: View) -> View:
        view.__dict__[name] = value
        return view

    return mark


def declare(operation: Operation) -> Callable[[View], View]:
    """Decorate a route's function with its operation."""
    return marked(_DECLARED, operation)


def declared(view: Callable[..., Any]) -> Operation | None:
    """The operation of a route's function; None if it has none."""
    operation: Operation | None = getattr(view, _DECLARED, None)
    return operation


def models_in(schema: object) -> Iterator[type[BaseModel]]:
    """Yield the models in a schema."""
    if isinstance(schema, type):
        yield schema
    elif isinstance(schema, Mapping):
        for value in schema.values():
            yield from models_in(value)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from models_in(value)
