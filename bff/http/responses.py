"""What is answered: JSON, problem documents (RFC 9457), and the security headers of each kind of route."""

from __future__ import annotations

from typing import Any, Final

import structlog
from flask import Response, json, request
from werkzeug.exceptions import HTTPException

from bff.core.errors import (
    ConnectorUnavailable,
    HitchpostError,
    LaunchRefused,
    NotFound,
    NotSignedIn,
    OriginNotRegistered,
    Outdated,
    PartnerUnavailable,
    UnknownConnector,
    UnknownMessage,
)
from bff.core.errors import InvalidRequest as CoreInvalidRequest
from bff.core.words import ERROR_CODES, Words
from bff.http.locales import browsers

PROBLEM_BASE: Final = "https://github.com/hitchpost/hitchpost/blob/main/docs/errors.md#"

STATUS: Final[dict[type[HitchpostError], int]] = {
    CoreInvalidRequest: 422,
    UnknownConnector: 422,
    UnknownMessage: 422,
    OriginNotRegistered: 403,
    NotSignedIn: 401,
    NotFound: 404,
    Outdated: 409,
    LaunchRefused: 410,
    PartnerUnavailable: 503,
    ConnectorUnavailable: 502,
}

HTTP_CODES: Final = {
    400: "malformed_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
}

API_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

log = structlog.get_logger("hitchpost.http")


def answer(body: dict[str, Any], status: int = 200) -> Response:
    """A JSON answer that no cache keeps."""
    response = Response(json.dumps(body), status, content_type="application/json")
    response.headers.update(API_HEADERS)
    return response


def problem(status: int, code: str, detail: str, **extra: Any) -> Response:
    """A problem document (RFC 9457). ``code`` is stable; ``title`` and ``next_step`` are fit for a person."""
    known = code in ERROR_CODES
    title, next_step = Words(None).error(code) if known else (code.replace("_", " "), "")
    body = {
        "type": PROBLEM_BASE + code,
        "title": title.capitalize() if title.islower() else title,
        "status": status,
        "detail": detail,
        "code": code,
        **({"next_step": next_step} if next_step else {}),
        "error": _for_the_page(status, code),
        **extra,
    }
    response = Response(json.dumps(body), status, content_type="application/problem+json")
    response.headers.update(API_HEADERS)
    return response


def _for_the_page(status: int, code: str) -> dict[str, str]:
    """The same for whoever waits for a connection: one of the widget's codes, in words of the page's language."""
    told = "invalid_request"
    if "connector" in code:
        told = "connector_unavailable"  # Unknown, not offered, or out of order.
    elif status == 401:
        told = "not_signed_in"
    elif status == 429 or status >= 500:
        told = "partner_unavailable"  # Too many calls are a matter of time, too.
    title, next_step = Words(None, browsers()).error(told)
    return {"code": told, "title": title, "next_step": next_step}


def problem_of(error: Exception) -> Response:
    """The problem document of any exception; one that nobody foresaw tells nothing of itself."""
    if isinstance(error, HitchpostError):
        response = problem(STATUS[type(error)], error.code, error.detail)
        if isinstance(error, PartnerUnavailable):
            response.headers["Retry-After"] = str(max(1, round(error.retry_after or 5)))
        if isinstance(error, NotSignedIn):
            response.headers["WWW-Authenticate"] = "Bearer"
        return response
    if isinstance(error, HTTPException) and error.code is not None:
        code = HTTP_CODES.get(error.code, "invalid_request" if error.code < 500 else "internal_error")
        response = problem(error.code, code, error.description or error.name)
        if allowed := getattr(error, "valid_methods", None):
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response
    log.error("unforeseen error", exc_info=error, method=request.method, endpoint=request.endpoint)
    return problem(500, "internal_error", "Something broke on our side; it has been logged.")
