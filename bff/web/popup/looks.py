"""A product's look, as the pages in the popup load it: a stylesheet, and the logo."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response

from bff.common.errors import NotFound
from bff.content import look
from bff.content.product import is_draft
from bff.web.kit.services import services
from bff.web.public.files import IMMUTABLE

routes = Blueprint("hitchpost_looks", __name__)
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
    # An SVG that is opened by itself is a document: here it can do nothing.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}


@routes.get("/connect/look/<product>/<int:version>.css")
def style(product: str, version: int) -> Response:
    """The look as published; a version that does not stand (any more) is answered by the one that does."""
    found = services().products.get(product)
    if found is None:
        raise NotFound("look: there is no such product")
    response = Response(look.page_style(found.look), content_type="text/css; charset=utf-8")
    response.headers.update(HEADERS)
    lasting = version == found.version and not is_draft(product)
    response.headers["Cache-Control"] = IMMUTABLE if lasting else "no-store"
    return response


@routes.get("/connect/logo/<name>")
def logo(name: str) -> Response:
    """An image that some team put up, by the hash of what it holds."""
    found = services().teams.images.get(name)
    if found is None:
        raise NotFound("logo: there is no such image")
    response = Response(found.data, content_type=found.media_type)
    response.headers.update(HEADERS)
    response.headers["Cache-Control"] = IMMUTABLE
    return response
