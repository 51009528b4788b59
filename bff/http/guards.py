"""What may be called from where: origins, the custom header, and where a launch may come from."""

from __future__ import annotations

from typing import Final

from flask import request

from bff.core.errors import InvalidRequest, OriginNotRegistered
from bff.core.model import Attempt, Product
from bff.http.services import services

CUSTOM_HEADER: Final = "X-Hitchpost"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def require_custom_header() -> None:
    """A call that rests on a cookie needs a header that no foreign page can send without CORS."""
    if request.headers.get(CUSTOM_HEADER) != "1":
        raise InvalidRequest(f"send the header {CUSTOM_HEADER}: 1 with a call that rests on a cookie")


def calling_origin(product: Product) -> str:
    """The page's own origin, which must be one of the product's. Raises ``OriginNotRegistered``."""
    origin = request.headers.get("Origin", "")
    if origin not in product.origins:
        raise OriginNotRegistered(f"origin {origin or '(none)'} is not registered for product {product.key}")
    return origin


def require_origin_of(product: Product, *, by_cookie: bool) -> None:
    """Refuse a call from a page that is none of the product's.

    An unsafe method always needs the header. A browser sends none with a same-origin GET: there the
    bearer token speaks for itself, and a cookie needs ``Sec-Fetch-Site: same-origin``.
    """
    if request.method not in SAFE_METHODS or "Origin" in request.headers:
        calling_origin(product)
    elif by_cookie and request.headers.get("Sec-Fetch-Site") != "same-origin":
        raise OriginNotRegistered("a call that rests on a cookie must come from the same origin")


def launch_is_direct(attempt: Attempt) -> bool:
    """Whether a launch may go on at once: it came from the opening page, or from the page that began.

    Anything else (a link that was passed on, above all) would let one person make another link theirs.
    """
    origin = request.headers.get("Origin")
    return origin in {services().public_origin, attempt.origin}
