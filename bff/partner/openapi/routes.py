"""Serves the OpenAPI document."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from flask import Blueprint, Flask, Response, current_app

from bff.openapi.document import make_document
from bff.openapi.operation import OBJECT
from bff.openapi.routes import Route, collect
from bff.partner.access import answer
from bff.partner.openapi import describe
from bff.serving.version import own_version

EXTENSION: Final = "hitchpost-embedded-openapi"
UNDESCRIBED: Final = ("/assets/", "/health/")
ABOUT: Final[dict[str, Any]] = {
    "info": {
        "title": "Hitchpost's embedded partner service",
        "version": own_version(),
        "description": (
            "Speaks Cyclr's HTTP protocol, and a little more under `Hitchpost`. Every refusal over the API is"
            ' `{"Message"}`; what a browser is shown is a page.'
        ),
    }
}
BEARER: Final = {"type": "http", "scheme": "bearer", "description": "An access token of `POST /oauth/token`."}

routes = Blueprint("openapi", __name__)


@routes.get("/v1.0/openapi.json")
@describe.operation(OBJECT, access=describe.Access.ANYBODY)
def openapi() -> Response:
    """The OpenAPI document (3.1) of this API."""
    response = answer(current_app.extensions[EXTENSION]())
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def install(app: Flask, public_url: str) -> None:
    """Let ``app`` serve its document, which is generated at the first request. Raises ``Undeclared``."""
    found = described(app)
    app.extensions[EXTENSION] = cache(lambda: document(public_url, found))


def described(app: Flask) -> tuple[Route, ...]:
    """Collect the declared routes. Raises ``Undeclared`` for a route without a declaration."""
    return collect(app, undescribed=UNDESCRIBED)


def document(public_url: str, collected: tuple[Route, ...]) -> dict[str, Any]:
    """Make the OpenAPI document of these routes, for a service at ``public_url``."""
    return make_document(ABOUT, public_url, {"accessToken": BEARER}, collected)
