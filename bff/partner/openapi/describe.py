"""The decorators by which a route declares its access, its limit and its OpenAPI operation."""

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
WHOLE: Final = {"type": "integer", "minimum": 1}
PAGED: Final = (
    Parameter("page", "Which page, from 1.", schema={**WHOLE, "maximum": 1_000_000}),
    Parameter("pageSize", "Items of a page.", schema={**WHOLE, "maximum": MAX_PAGE_SIZE}),
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
    """Who may call a route. Its function checks it, by ``bff/partner/access.py``."""

    ANYBODY = auto()
    CLIENT = auto()
    """With an access token."""
    ACCOUNT = auto()
    """The same, about the account that the header ``X-Cyclr-Account`` names."""


@dataclass(frozen=True)
class ListOf:
    """One page of a list of this shape; ``Total-Pages`` says how many pages there are."""

    item: Schema


def operation(
    told: Schema | ListOf,
    *refusals: int,
    access: Access = Access.CLIENT,
    limited: bool = False,
    query: Mapping[str, str] | None = None,
    body: type[BaseModel] | None = None,
    form: type[BaseModel] | None = None,
    error: Schema | None = None,
    path: str | None = None,
) -> Callable[[View], View]:
    """Declare a route of the API, by what it tells with 200 and the statuses of its own refusals.

    Those that follow from the other arguments are added. ``limited`` is for one whose calls are counted,
    ``error`` what it tells with 400 besides ``{"Message"}``.
    """
    statuses = {500, 503, *refusals, *({429} if limited else ())}
    statuses |= {401} if access is not Access.ANYBODY else set()
    statuses |= {400, 413} if body or form else set()
    asked = [ACCOUNT] if access is Access.ACCOUNT else []
    asked += _query(query)
    if isinstance(told, ListOf):
        statuses.add(400)
        asked += _paged(told.item)
    return declare(
        Operation(
            (_told(told), *_refusals(statuses, error)),
            tuple(asked),
            Body.of(body, form, required=False),
            (("accessToken",),) if access is not Access.ANYBODY else (),
            path=path,
        )
    )


def page(*statuses: int, query: Mapping[str, str] | None = None) -> Callable[[View], View]:
    """Declare a route that a browser shows, by the statuses of its pages. Visits are counted by address."""
    # A database that is away, and a fault of ours, are told to a person by a page as well.
    always = {429, 500, 503}
    pages = [Answer(status, PAGE.get(status, GONE_WRONG), TEXT, HTML) for status in always | {*statuses}]
    return declare(Operation(tuple(pages), tuple(_query(query))))


def _query(query: Mapping[str, str] | None) -> list[Parameter]:
    return [Parameter(name, about) for name, about in (query or {}).items()]


def _paged(item: Schema) -> Iterator[Parameter]:
    yield from PAGED
    if isinstance(item, type):
        yield Parameter("orderBy", "The member to order by.", schema={"enum": sorted(item.model_fields)})


def _told(told: Schema | ListOf) -> Answer:
    if isinstance(told, ListOf):
        return Answer(200, "As asked.", {"type": "array", "items": told.item}, headers=(TOTAL_PAGES,))
    return Answer(200, "As asked.", told)


def _refusals(statuses: set[int], error: Schema | None) -> Iterator[Answer]:
    for status in statuses:
        shape: Any = {"anyOf": [error, Message]} if status == 400 and error else Message
        yield Answer(status, REFUSED[status], shape)
