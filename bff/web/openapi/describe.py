"""Decorators with which a route declares its access, limit and OpenAPI operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Final

from pydantic import BaseModel

from bff.common.errors import EVERY
from bff.openapi.operation import HTML, TEXT, Answer, Body, Header, Operation, Parameter, View, declare
from bff.web.kit.limits import UNCOUNTED, Limit, limited
from bff.web.kit.responses import HTTP_CODES
from bff.web.openapi.shapes import Problem

PROBLEM: Final = "application/problem+json"
STATUS_OF: Final[Mapping[str, int]] = {
    **{code: status for status, code in HTTP_CODES.items()},
    **{kind.code: kind.status for kind in EVERY},
    "internal_error": 500,
}
"""The HTTP status of each error code."""

CACHE_CONTROL: Final = Header("Cache-Control", "How long it may be kept.")
ETAG: Final = Header("ETag", "Its version.")
LOCATION: Final = Header("Location", "Where to go.")
REQUEST_ID: Final = Header("X-Request-Id", "Finds this call in the log.")
RETRY_AFTER: Final = Header(
    "Retry-After", "Seconds to wait before the next try.", {"type": "string", "pattern": "^[0-9]+$"}
)
SIGN_IN: Final = Header("WWW-Authenticate", "How to sign in.")
WITH_STATUS: Final = {401: (SIGN_IN,), 429: (RETRY_AFTER,), 503: (RETRY_AFTER,)}

PARTNER: Final = ("partner_unavailable", "connector_unavailable")
"""Error codes of routes that call the partner service."""
READING: Final = ("request_timeout", "payload_too_large")
READING_JSON: Final = (*READING, "unsupported_media_type")
"""Error codes of routes that read a body."""


class Access(Enum):
    """Who may call a route: alternatives of security schemes; the schemes of one are required together.

    Only a declaration: the route's function checks it, with ``bff/web/kit/authenticate.py`` or by a proof in
    the request.
    """

    ANYBODY = ()
    PAGE = (("sessionToken",), ("hostSession", "widgetHeader"))
    SERVER = (("secretKey",),)
    PAGE_OR_SERVER = (("sessionToken",), ("secretKey",), ("hostSession", "widgetHeader"))

    def refusals(self) -> tuple[str, ...]:
        """The error codes that authentication may return."""
        if self is Access.ANYBODY:
            return ()
        origin = () if self is Access.SERVER else ("origin_not_allowed",)
        return ("not_signed_in", *origin, "invalid_request", "rate_limited", "storage_unavailable")


def operation(
    *answers: Answer,
    access: Access,
    limit: Limit | None = None,
    refusals: Iterable[str] = (),
    parameters: tuple[Parameter, ...] = (),
    body: type[BaseModel] | None = None,
    body_required: bool = True,
    form: type[BaseModel] | None = None,
    tag: str | None = None,
    path: str | None = None,
) -> Callable[[View], View]:
    """Declare a route for programs. ``refusals`` has the error codes of its own rules.

    Codes that follow from the other arguments are added. Raises ``TypeError`` if a route that anybody may
    call has no ``limit``.
    """
    if limit is None:
        if access is Access.ANYBODY:
            raise TypeError("say how the calls of anybody are counted: BY_ADDRESS, or UNCOUNTED")
        limit = UNCOUNTED
    codes = {"malformed_request", "internal_error", *access.refusals(), *limit.refusals(), *refusals}
    codes |= {*(READING_JSON if body else ()), *(READING if form else ())}
    return _declare(
        limit,
        Operation(
            (*answers, *_problems(codes)),
            parameters,
            Body.of(body, form, required=body_required),
            access.value,
            tag or ("server" if access is Access.SERVER else "widget"),
            path,
        ),
    )


def page(
    *answers: Answer | int,
    limit: Limit,
    parameters: tuple[Parameter, ...] = (),
    form: type[BaseModel] | None = None,
) -> Callable[[View], View]:
    """Declare a page for people. Numbers in ``answers`` are statuses of pages; common ones are added."""
    always = {400, 500, 503, *({408, 413} if form else ()), *({429} if limit.by_address else ())}
    pages = always | {status for status in answers if isinstance(status, int)}
    others = tuple(answer for answer in answers if isinstance(answer, Answer))
    described = Operation((*others, *map(_page, pages)), parameters, Body.of(None, form), tag="pages")
    return _declare(limit, described)


def _declare(limit: Limit, described: Operation) -> Callable[[View], View]:
    def mark(view: View) -> View:
        return limited(limit)(declare(described)(view))

    return mark


def _page(status: int) -> Answer:
    about = {200: "The page.", 500: "Something broke on our side; the page says so."}
    return Answer(status, about.get(status, "A page that says what went wrong and what to do."), TEXT, HTML)


def _problems(codes: Iterable[str]) -> Iterator[Answer]:
    by_status: dict[int, list[str]] = {}
    for code in sorted(codes):
        by_status.setdefault(STATUS_OF[code], []).append(code)
    for status, of_status in by_status.items():
        about = "Refused: " + ", ".join(f"`{code}`" for code in of_status) + "."
        members = {"status": {"const": status}, "code": {"enum": of_status}}
        shape = {"allOf": [Problem, {"properties": members}]}
        yield Answer(status, about, shape, PROBLEM, (*WITH_STATUS.get(status, ()), REQUEST_ID))
