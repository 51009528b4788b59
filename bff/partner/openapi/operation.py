"""The words in which a route of this service is described."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode

from bff.partner.openapi.shapes import Message

JSON: Final = "application/json"
HTML: Final = "text/html"
FORM: Final = "application/x-www-form-urlencoded"
TEXT: Final[Mapping[str, Any]] = {"type": "string"}
OBJECT: Final[Mapping[str, Any]] = {"type": "object"}

Shape = type[BaseModel] | Mapping[str, Any]


@dataclass(frozen=True)
class ListOf:
    """One page of a list of this shape; ``Total-Pages`` says how many pages there are."""

    item: Shape


@dataclass(frozen=True)
class Operation:
    """One method of one path, whose names in braces are parameters. ``view`` is the route's function.

    ``answers`` has what is told with 200, ``refusals`` the statuses of ``{"Message"}``. ``account`` is for
    calls about the account that the header ``X-Cyclr-Account`` names. ``query`` names more parameters
    (those of a list are added), ``pages`` the statuses of pages that a person reads.
    """

    method: str
    path: str
    view: Callable[..., Any]
    answers: Shape | ListOf | None = None
    refusals: tuple[int, ...] = ()
    body: type[BaseModel] | None = None
    body_type: str = JSON
    account: bool = False
    public: bool = False
    query: Mapping[str, str] | None = None
    pages: tuple[int, ...] = ()
    error: Shape | None = None


def shape_of(operation: Operation) -> Shape | None:
    """What an answer holds, or each item of it."""
    return operation.answers.item if isinstance(operation.answers, ListOf) else operation.answers


def models_of(operation: Operation) -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    """The models that it reads and answers with."""
    told = [shape for shape in (shape_of(operation), operation.error, Message) if isinstance(shape, type)]
    read: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    if operation.body:
        read.append((operation.body, "validation"))
    return read + [(shape, "serialization") for shape in told]
