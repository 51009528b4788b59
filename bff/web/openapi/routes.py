"""Where the document is served; it describes itself, too."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from flask import Blueprint, Response, request

from bff.web.kit.responses import API_HEADERS
from bff.web.kit.services import services
from bff.web.openapi.document import make_document
from bff.web.openapi.operation import OBJECT, Answer, Operation
from bff.web.openapi.operations import ADDRESSED, OPERATIONS

routes = Blueprint("hitchpost_openapi", __name__)


@routes.get("/v1/openapi.json")
def openapi() -> Response:
    """What you read: the OpenAPI document of this API (3.1)."""
    body = json.dumps(document(services().urls.public_url), sort_keys=True)
    response = Response(body, content_type="application/json")
    response.headers.update({**API_HEADERS, "Cache-Control": "public, max-age=300"})
    response.add_etag()
    response.make_conditional(request)
    return response


ITSELF: Final = Operation(
    "get",
    "/v1/openapi.json",
    openapi,
    "operations",
    (
        Answer(200, "It.", OBJECT, headers=("Cache-Control", "ETag")),
        Answer(304, "It is the same as the one that `If-None-Match` names.", headers=("ETag",)),
    ),
    ADDRESSED,
)


@cache
def document(public_url: str) -> dict[str, Any]:
    """The document of a BFF at ``public_url``."""
    return make_document(public_url, (*OPERATIONS, ITSELF))
