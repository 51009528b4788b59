"""The WSGI edge of the embedded service: trusted hosts, size limits, security headers, request log."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Any, Final

from flask import Response, request

from bff.partner.audit import audit
from bff.partner.context import embedded
from bff.partner.settings import Settings
from bff.serving.bounds import MOST_CALLBACK
from bff.serving.edge import DENIALS, ROUTE, UNMATCHED, App, Edge, Environ, trusted
from bff.serving.security_headers import EVERYWHERE, NO_PAGE, over_tls

LARGEST_BODY_BYTES: Final = 256 * 1024
CALLBACK: Final = "/connector/callback"
FOR_PEOPLE: Final = ("/connectorauth/", "/connector/")
"""Path prefixes of browser pages. Requests refused before routing get a plain page in English."""
PLAIN_PAGE: Final = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Not shown</title><p>{}</p>'
HEADERS: Final = EVERYWHERE | NO_PAGE | {"Cross-Origin-Resource-Policy": "same-origin"}
"""Default headers of a response. ``pages.py`` sets its own Content-Security-Policy."""


def around(app: App, settings: Settings) -> Edge:
    """Wrap the service in its edge."""
    return Edge(
        app,
        hosts=trusted(
            settings.public_url, settings.trusted_hosts, settings.bind, development=not settings.is_production
        ),
        hops=settings.proxy_hops,
        max_body_bytes=LARGEST_BODY_BYTES,
        refuse=refuse(settings),
        longer={CALLBACK: MOST_CALLBACK},
    )


def refuse(settings: Settings) -> Any:
    """Make the responder for requests that reach no route: JSON on API paths, HTML on browser pages."""

    def answer_with(status: int, _code: str, detail: str) -> App:
        def answer(environ: Environ, start_response: Any) -> Iterable[bytes]:
            if str(environ.get("PATH_INFO", "")).startswith(FOR_PEOPLE):
                body, kind = PLAIN_PAGE.format(escape(detail)), "text/html"
            else:
                body, kind = json.dumps({"Message": detail}), "application/json"
            response = Response(body, status, _headers(settings), content_type=f"{kind}; charset=utf-8")
            return response(environ, start_response)

        return answer

    return answer_with


def secure(response: Response) -> Response:
    """Add the default headers, and log 401, 403 and 429 to the audit log."""
    rule = request.url_rule
    request.environ[ROUTE] = rule.rule if rule else UNMATCHED
    if response.status_code in DENIALS:
        audit("denied", status=response.status_code, method=request.method, route=request.environ[ROUTE])
    for name, value in _headers(embedded().settings).items():
        response.headers.setdefault(name, value)
    return response


def _headers(settings: Settings) -> dict[str, str]:
    # Lets the BFF recognise this service: no other partner service sends this header.
    marker = {"Hitchpost-Embedded": "1"} if settings.tell_sign_ins else {}
    return HEADERS | over_tls(settings.public_url) | marker
