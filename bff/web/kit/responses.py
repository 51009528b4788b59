"""Makes responses: JSON, problem documents (RFC 9457), the security headers of each kind of route."""

from __future__ import annotations

import json
import math
from typing import Any, Final

import structlog
from flask import Response, request
from werkzeug.exceptions import HTTPException

from bff.common.errors import (
    EVERY,
    ConnectionNotFound,
    ConnectorUnavailable,
    HitchpostError,
    KeysUnavailable,
    LimitsUnavailable,
    NotSignedIn,
    PartnerProblem,
    PartnerUnavailable,
    RateLimited,
    StorageUnavailable,
    TooLate,
)
from bff.common.errors import InvalidRequest as CoreInvalidRequest
from bff.content.words import ERROR_CODES, Words
from bff.serving.database import is_away
from bff.serving.edge import request_id
from bff.serving.logs import about
from bff.serving.security_headers import EVERYWHERE, NO_PAGE
from bff.web.kit.locales import browser_languages

PROBLEM_BASE: Final = "https://github.com/hitchpost/hitchpost/blob/main/docs/errors.md#"

HTTP_CODES: Final = {
    400: "malformed_request",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "payload_too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
}

REPEATED_CODES: Final = frozenset({StorageUnavailable.code, LimitsUnavailable.code})
"""The codes of a store that is away for a moment, in which nothing was done. The widget repeats a call whose
answer has no ``error``, as that of a proxy, and so the user sees nothing of it."""

API_HEADERS: Final = (
    EVERYWHERE
    | NO_PAGE
    | {
        "Cross-Origin-Resource-Policy": "cross-origin",
        # Responses depend on the user and the origin. For shared caches that ignore no-store.
        "Vary": "Cookie, Origin",
    }
)

PAGE_CODES: Final = {
    kind.code: kind.page_code for kind in EVERY if issubclass(kind, PartnerProblem | TooLate)
}
"""Codes of problems that the widget reports by a code of its own, and that code."""

log = structlog.get_logger("hitchpost.http")


def answer(body: dict[str, Any], status: int = 200) -> Response:
    """A JSON response with ``no-store``."""
    return Response(json.dumps(body, sort_keys=True), status, API_HEADERS, content_type="application/json")


def problem(status: int, code: str, detail: str, **extra: Any) -> Response:
    """A problem document (RFC 9457). ``code`` is stable; ``title`` and ``next_step`` are texts for people."""
    known = code in ERROR_CODES
    title, next_step = Words(None).error(code) if known else (code.replace("_", " "), "")
    body = {
        "type": PROBLEM_BASE + code,
        "title": title.capitalize() if title.islower() else title,
        "status": status,
        "detail": detail,
        "code": code,
        **({"next_step": next_step} if next_step else {}),
        **({} if code in REPEATED_CODES else {"error": _for_the_page(status, code)}),
        "request_id": request_id(request.environ),
        **extra,
    }
    return Response(
        json.dumps(body, sort_keys=True), status, API_HEADERS, content_type="application/problem+json"
    )


def allow(error: Exception, response: Response) -> Response:
    """Add ``Allow`` to the response for a method that is not allowed (RFC 9110, section 15.5.6)."""
    if allowed := getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _for_the_page(status: int, code: str) -> dict[str, str]:
    """The error for the widget: one of its codes, with texts in the page's language."""
    widget_code: str = PAGE_CODES.get(code, "invalid_request")
    if "connector" in code:
        widget_code = ConnectorUnavailable.page_code  # Not offered, say.
    elif status == 401:
        widget_code = "not_signed_in"
    elif status == 429 or (status >= 500 and code not in PAGE_CODES):
        widget_code = "partner_unavailable"  # A rate limit is passing, too.
    text = code if code == ConnectionNotFound.code else widget_code
    title, next_step = Words(None, browser_languages()).error(text)
    return {"code": widget_code, "title": title, "next_step": next_step}


def problem_of(error: Exception) -> Response:
    """The problem document of an exception. An unexpected one is logged, and its details are left out."""
    if isinstance(error, HitchpostError):
        # The widget prints ``advice`` to the browser's console, for the developers of the page. Ending a
        # connection that somebody else has ended is no mistake of theirs.
        mistakes = (
            CoreInvalidRequest if request.method == "DELETE" else CoreInvalidRequest | ConnectionNotFound
        )
        advice = {"advice": error.detail} if isinstance(error, mistakes) else {}
        response = problem(error.status, error.code, error.detail, **advice)
        if isinstance(error, KeysUnavailable):
            response.headers["Retry-After"] = "5"
        response.headers.update(how_long_to_wait(error))
        if isinstance(error, NotSignedIn):
            response.headers["WWW-Authenticate"] = "Bearer"
        return response
    if isinstance(error, HTTPException) and error.code is not None:
        code = HTTP_CODES.get(error.code, "invalid_request" if error.code < 500 else "internal_error")
        return problem(error.code, code, error.description or error.name)
    log_unforeseen(error)
    return problem(500, "internal_error", "Something broke on our side; it has been logged.")


def log_unforeseen(error: Exception) -> None:
    """Log an unexpected error, for operators only."""
    log.error("unforeseen error", method=request.method, endpoint=request.endpoint, **about(error))


def foreseen(error: Exception) -> Exception:
    """``StorageUnavailable`` for an error of an unavailable database, which is logged; else ``error``."""
    if not is_away(error):
        return error
    log.error("database unavailable", method=request.method, endpoint=request.endpoint, **about(error))
    return StorageUnavailable("the database cannot be used now; nothing was done, try again in a moment")


def how_long_to_wait(error: Exception) -> dict[str, str]:
    """``Retry-After`` in whole seconds (RFC 9110, section 10.2.3), for errors that a retry can solve."""
    if isinstance(error, RateLimited | LimitsUnavailable | StorageUnavailable | PartnerUnavailable):
        # The partner service or its circuit breaker may have set ``retry_after``.
        return {"Retry-After": str(max(1, math.ceil(error.retry_after or 5)))}
    return {}
