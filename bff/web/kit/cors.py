"""CORS headers for the origins that products have registered, compared exactly; never with credentials."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

import structlog
from flask import Response, current_app, request
from flask_cors.core import get_cors_headers, get_cors_options, set_cors_headers
from werkzeug.datastructures import Headers

from bff.web.kit.guards import CUSTOM_HEADER, ORIGIN
from bff.web.kit.services import services

_POLICY: Final[dict[str, Any]] = {
    "methods": ["GET", "POST"],
    "allow_headers": [
        "Accept-Language",
        "Authorization",
        "Content-Language",
        "Content-Type",
        "Idempotency-Key",
        CUSTOM_HEADER,
    ],
    "expose_headers": ["Retry-After"],
    "supports_credentials": False,
    "max_age": timedelta(minutes=10),
    "always_send": False,
    "allow_private_network": False,
}

log = structlog.get_logger("hitchpost.http")


def grant(response: Response) -> Response:
    """Add the CORS headers if the caller's origin is registered, and always ``Vary: Origin``."""
    if ORIGIN not in response.headers.get("Vary", ""):
        response.vary.add(ORIGIN)
    origin = request.headers.get(ORIGIN)
    if origin and _is_registered(origin):
        if request.method == "OPTIONS":
            # ``response.allow`` has the methods of the route.
            set_cors_headers(response, _options(origin, deletes="DELETE" in response.allow))
        else:
            response.headers.extend(_headers(origin))
    return response


@lru_cache(maxsize=1000)
def _headers(origin: str) -> dict[str, str]:
    """The CORS headers of a response that is no preflight. They depend on the origin only."""
    headers = get_cors_headers(_options(origin), Headers({ORIGIN: origin}), "GET")
    return {name: str(value) for name, value in headers.items() if name != "Vary"}


@lru_cache(maxsize=1000)
def _options(origin: str, *, deletes: bool = False) -> Any:
    # flask-cors treats a string with special characters as a pattern, so the origin is escaped.
    exact = re.compile(re.escape(origin) + r"\Z")
    more = {"methods": ["DELETE"]} if deletes else {}
    return get_cors_options(current_app, {**_POLICY, "origins": [exact], **more})


def _is_registered(origin: str) -> bool:
    try:
        return services().products.is_registered_origin(origin)
    except Exception as error:  # noqa: BLE001  # the response may be that of an error, and must not fail again
        log.warning("origin not looked up", error=type(error).__name__)
        return False
