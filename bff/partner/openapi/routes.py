"""Where the document is served; it describes itself, too."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from flask import Blueprint, Response

from bff.partner.access import answer
from bff.partner.context import embedded
from bff.partner.openapi.document import make_document
from bff.partner.openapi.operation import OBJECT, Operation
from bff.partner.openapi.operations import OPERATIONS

routes = Blueprint("openapi", __name__)


@routes.get("/v1.0/openapi.json")
def openapi() -> Response:
    """What you read: the OpenAPI document of this API (3.1)."""
    response = answer(document(embedded().settings.public_url))
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


ITSELF: Final = Operation("get", "/v1.0/openapi.json", openapi, OBJECT, public=True)


@cache
def document(public_url: str) -> dict[str, Any]:
    """The document of a service at ``public_url``."""
    return make_document(public_url, (*OPERATIONS, ITSELF))
