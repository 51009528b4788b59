"""Routes for a product's look: its stylesheet and its logo, which the popup's pages load."""

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
    # An SVG that is opened by itself is a document. This policy keeps its scripts from running.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}


@routes.get("/connect/look/<product>/<int:version>.css")
def style(product: str, version: int) -> Response:
    """The stylesheet of the published look. Another ``version`` returns the current one, not cached."""
    current = services().products.get(product)
    if current is None:
        raise NotFound("look: there is no such product")
    response = Response(look.page_style(current.look), content_type="text/css; charset=utf-8")
    response.headers.update(HEADERS)
    is_immutable = version == current.version and not is_draft(product)
    response.headers["Cache-Control"] = IMMUTABLE if is_immutable else "no-store"
    return response


@routes.get("/connect/logo/<name>")
def logo(name: str) -> Response:
    """An image that a team uploaded, by the hash of its content."""
    image = services().teams.images.get(name)
    if image is None:
        raise NotFound("logo: there is no such image")
    response = Response(image.data, content_type=image.media_type)
    response.headers.update(HEADERS)
    response.headers["Cache-Control"] = IMMUTABLE
    return response
