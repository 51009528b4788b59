"""The route that serves the OpenAPI document."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from flask import Blueprint, Flask, Response, current_app, request

from bff.openapi.document import make_document
from bff.openapi.operation import OBJECT, Answer
from bff.openapi.routes import Route, collect
from bff.serving.version import own_version
from bff.web.kit import mount
from bff.web.kit.guards import CUSTOM_HEADER
from bff.web.kit.limits import UNCOUNTED
from bff.web.kit.responses import API_HEADERS
from bff.web.openapi import describe

EXTENSION: Final = "hitchpost_openapi"
UNDESCRIBED: Final = ("/studio/", "/connect/assets/", "/connect/logo/", "/connect/look/")
"""Path prefixes that the document leaves out: pages of the Studio, and files."""
ABOUT: Final[dict[str, Any]] = {
    "info": {
        "title": "Hitchpost",
        "version": own_version(),
        "description": (
            "What the widget and a host's own server call. Every refusal is a problem document (RFC 9457)"
            " whose `code` is stable, and carries `X-Request-Id`."
        ),
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    },
    "tags": [
        {"name": "widget", "description": "Called by the page of a signed-in user."},
        {"name": "server", "description": "Called by the host's own server, with its secret key."},
        {"name": "pages", "description": "What a person sees in the popup."},
        {"name": "operations", "description": "For whoever runs it."},
    ],
}
SCHEMES: Final = {
    "sessionToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "A session token of `POST /v1/sessions`, or a JWT of the host's.",
    },
    "secretKey": {"type": "http", "scheme": "bearer", "description": "A secret key of the product."},
    "hostSession": {
        "type": "apiKey",
        "in": "cookie",
        "name": "session",
        "description": "Inside the host's own Flask app: its session, under the name that it has there.",
    },
    "widgetHeader": {
        "type": "apiKey",
        "in": "header",
        "name": CUSTOM_HEADER,
        "description": "`1`, or the signal that made the page look, with every call that rests on a cookie.",
    },
}

routes = Blueprint("hitchpost_openapi", __name__)


@routes.get("/v1/openapi.json")
@describe.operation(
    Answer(200, "The document.", OBJECT, headers=(describe.CACHE_CONTROL, describe.ETAG)),
    Answer(304, "The document matches `If-None-Match`.", headers=(describe.ETAG,)),
    access=describe.Access.ANYBODY,
    limit=UNCOUNTED,
    tag="operations",
)
def openapi() -> Response:
    """The OpenAPI document (3.1) of this API."""
    response = Response(current_app.extensions[EXTENSION](), content_type="application/json")
    response.headers.update({**API_HEADERS, "Cache-Control": "public, max-age=300"})
    response.add_etag()
    response.make_conditional(request)
    return response


def install(app: Flask, prefix: str, public_url: str) -> None:
    """Let ``app``, in which the API is mounted below ``prefix``, serve its document.

    The document is generated at the first request of a process. Raises ``Undeclared``.
    """
    found = described(app, prefix)
    app.extensions[EXTENSION] = cache(lambda: json.dumps(document(public_url, found), sort_keys=True))


def described(app: Flask, prefix: str) -> tuple[Route, ...]:
    """The routes of the API, which is mounted in ``app`` below ``prefix``.

    Raises ``Undeclared`` for routes without a declaration.
    """
    return collect(app, blueprint=f"{mount.NAME}.", prefix=prefix, undescribed=UNDESCRIBED)


def document(public_url: str, found: tuple[Route, ...]) -> dict[str, Any]:
    """The OpenAPI document of these routes, for a BFF at ``public_url``."""
    return make_document(ABOUT, public_url, SCHEMES, found)
