"""Advice for developers of a page. Readable from any origin, unlike all other responses."""

from __future__ import annotations

from typing import Final

import structlog
from flask import Blueprint, Response, request
from pydantic import BaseModel

from bff.common.legible import visible_id
from bff.common.ttl_cache import TtlCache
from bff.openapi.operation import Answer, Parameter
from bff.products.origin_advice import origin_advice
from bff.web.kit.limits import BY_ADDRESS
from bff.web.kit.responses import answer
from bff.web.kit.services import services
from bff.web.openapi import describe
from bff.web.openapi.describe import Access

routes = Blueprint("hitchpost_advice", __name__)
LONGEST: Final = 300
"""Maximum characters of each parameter. Further ones are ignored."""

_logged: Final[TtlCache[None]] = TtlCache(60.0)
"""Limits the log to one line a minute for each page."""

log = structlog.get_logger("hitchpost.advice")


class Advice(BaseModel):
    """What the developers of the page should change."""

    advice: str | None


@routes.get("/v1/advice")
@describe.operation(
    Answer(200, "What to change, or null.", Advice),
    access=Access.ANYBODY,
    limit=BY_ADDRESS,
    parameters=(
        Parameter("product", "The product's key, as the page says it.", required=True),
        Parameter("origin", "The page's origin.", required=True),
    ),
    refusals=["storage_unavailable"],
)
def advice() -> Response:
    """Why a page of this origin cannot use this product; null if it can.

    Any page may read it, while CORS hides all other responses from an origin that is not registered. It
    reveals no more than the opening page: whether the product exists, and whether the origin is registered.
    """
    key, origin = (request.args.get(name, "")[:LONGEST] for name in ("product", "origin"))
    text = advice_on(key, origin)
    if text:
        _logged.get(
            f"{key} {origin}",
            lambda _: log.warning("page refused", product=visible_id(key), advice=visible_id(text)),
        )
    response = answer({"advice": text})
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def advice_on(key: str, origin: str) -> str | None:
    """What to change so that a page of this origin can use the product; None if it can."""
    product = services().products.get(key)
    if product is None:
        return f"there is no product {key!r} here: write as data-product the key that its product file has"
    return origin_advice(product.key, product.origins, origin)
