"""Decorators with which a route declares its access, rate limit and OpenAPI operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from pydantic import BaseModel

from bff.openapi.operation import (
    HTML,
    TEXT,
    Answer,
    Body,
    Header,
    Operation,
    Parameter,
    Schema,
    View,
    declare,
)
from bff.partner.access import ACCOUNT_HEADER, MAX_PAGE_SIZE
from bff.partner.openapi.shapes import Message

ACCOUNT: Final = Parameter(
    ACCOUNT_HEADER, "The account's id; a token that is restricted to one account needs none.", "header"
)
POSITIVE_INTEGER: Final = {"type": "integer", "minimum": 1}
PAGED: Final = (
    Parameter("page", "Which page, from 1.", schema={**POSITIVE_INTEGER, "maximum": 1_000_000}),
    Parameter("pageSize", "Items of a page.", schema={**POSITIVE_INTEGER, "maximum": MAX_PAGE_SIZE}),
    Parameter("sortOrderAsc", "`false` for the reverse order.", schema={"type": "boolean"}),
)
TOTAL_PAGES: Final = Header("Total-Pages", "How many pages there are.")
REFUSED: Final = {
    400: "The request cannot be used; the message says why.",
    401: "No access token, one that has ended, or one for another account.",
    404: "There is no such thing, or none in this account.",
    409: "The user has to sign in first.",
    410: "It is gone.",
    413: "The body is too large.",
    422: "What a user typed is wrong; `Hitchpost.Fields` says which, and how.",
    424: "What a user typed could not be tried: the third party did not answer.",
    429: "Too many calls; `Retry-After` says when to ask again.",
    500: "Something broke on our side.",
    503: "The third party, or the database, is away; `Retry-After` says when to ask again.",
}
PAGE: Final = {200: "The last page.", 302: "On to the third party, or back to the host's page."}
GONE_WRONG: Final = "A page that says what went wrong."


class Access(Enum):
    """Who may call a route. Declarative: the view enforces it with ``bff/partner/access.py``."""

    ANYBODY = auto()
    CLIENT = auto()
    """Clients with an access token."""
    ACCOUNT = auto()
    """Clients with an access token, for the account in the header ``X-Cyclr-Account``."""


@dataclass(frozen=True)
class ListOf:
    """A page of a list of ``item``, with the header ``Total-Pages``."""

    item: Schema


def operation(
    success: Schema | ListOf,
    *refusals: int,
    access: Access = Access.CLIENT,
    limited: bool = False,
    query: Mapping[str, str] | None = None,
    body: type[BaseModel] | None = None,
    form: type[BaseModel] | None = None,
    error: Schema | None = None,
    path: str | None = None,
) -> Callable[[View], View]:
    """Declare an API route by the schema of its 200 response and the error statuses of its own.

    Statuses that follow from the other arguments are added: 401 for ``access``, 400 and 413 for a body.
    ``limited``: the route is rate limited (429). ``error``: an alternative schema of its 400 response,
    besides ``{"Message"}``.
    """
    statuses = {500, 503, *refusals, *({429} if limited else ())}
    statuses |= {401} if access is not Access.ANYBODY else set()
    statuses |= {400, 413} if body or form else set()
    parameters = [ACCOUNT] if access is Access.ACCOUNT else []
    parameters += _query(query)
    if isinstance(success, ListOf):
        statuses.add(400)
        parameters += _paged(success.item)
    return declare(
        Operation(
            (_success(success), *_refusals(statuses, error)),
            tuple(parameters),
            Body.of(body, form, required=False),
            (("accessToken",),) if access is not Access.ANYBODY else (),
            path=path,
        )
    )


def page(*statuses: int, query: Mapping[str, str] | None = None) -> Callable[[View], View]:
    """Declare a browser page by its statuses. Pages are rate limited by client address."""
    # Internal errors and an unavailable database show a page, too.
    always = {429, 500, 503}
    pages = [Answer(status, PAGE.get(status, GONE_WRONG), TEXT, HTML) for status in always | {*statuses}]
    return declare(Operation(tuple(pages), tuple(_query(query))))


def _query(query: Mapping[str, str] | None) -> list[Parameter]:
    return [Parameter(name, about) for name, about in (query or {}).items()]


def _paged(item: Schema) -> Iterator[Parameter]:
    yield from PAGED
    if isinstance(item, type):
        yield Parameter("orderBy", "The member to order by.", schema={"enum": sorted(item.model_fields)})


def _success(schema: Schema | ListOf) -> Answer:
    if isinstance(schema, ListOf):
        return Answer(
            200, "The requested page.", {"type": "array", "items": schema.item}, headers=(TOTAL_PAGES,)
        )
    return Answer(200, "The result.", schema)


def _refusals(statuses: set[int], error: Schema | None) -> Iterator[Answer]:
    for status in statuses:
        shape: Any = {"anyOf": [error, Message]} if status == 400 and error else Message
        yield Answer(status, REFUSED[status], shape)
