"""Checks of incoming requests: origin, custom header, repeated or faulty parameters, source of a launch."""

from __future__ import annotations

import re
from typing import Final

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from bff.common.errors import InvalidRequest, OriginNotRegistered
from bff.common.text import text_fault
from bff.connect.attempt import Attempt
from bff.content.product import Product
from bff.products.origin_advice import origin_advice
from bff.web.kit import confirmations
from bff.web.kit.services import services

CUSTOM_HEADER: Final = "X-Hitchpost"
ONE_OR_SIGNAL: Final = re.compile(r"1|[a-z]+(_[a-z]+)*")
"""``1``, or the name of a signal: of any, as a widget of another version may know more than this server."""
ORIGIN: Final = "Origin"
FETCH_SITE: Final = "Sec-Fetch-Site"
MOST_FORM: Final = 8 * 1024
"""Maximum bytes of a form that needs no authentication."""
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def require_custom_header() -> None:
    """Require the custom header, which other sites cannot send without CORS. Protects against CSRF."""
    if not ONE_OR_SIGNAL.fullmatch(request.headers.get(CUSTOM_HEADER, "")):
        raise InvalidRequest(f"send the header {CUSTOM_HEADER}: 1 with a call that rests on a cookie")


def refuse_nul() -> None:
    """Reject NUL in the URL: PostgreSQL cannot store it, or look it up. Raises 400."""
    if "\x00" in request.path or b"%00" in request.query_string:
        raise BadRequest("the address holds a NUL character; leave it out")


def refuse_faulty_fields() -> None:
    """Reject form fields that cannot be stored. Raises 400."""
    for name, value in request.form.items(multi=True):
        if fault := text_fault(name) or text_fault(value):
            raise BadRequest(f"{name[:60]!r}: {fault}")


def refuse_repeated_query() -> None:
    """Reject repeated query parameters, which are ambiguous. Raises 400."""
    if request.query_string:
        _refuse_repeated(request.args)


def take_small_forms() -> None:
    """Limit the size of a form before it is read. A longer one is refused with 413."""
    request.max_content_length = MOST_FORM


def refuse_repeated_fields() -> None:
    """Reject repeated form fields, which are ambiguous. Raises 400."""
    _refuse_repeated(request.form)


def _refuse_repeated(values: MultiDict[str, str]) -> None:
    if repeated := sorted(name for name, found in values.lists() if len(found) > 1):
        raise BadRequest(f"{', '.join(repeated)[:200]}: came more than once; send it once")


def calling_origin(product: Product) -> str:
    """The page's own origin, which must be one of the product's. Raises ``OriginNotRegistered``."""
    origin = request.headers.get(ORIGIN)
    if origin is None or origin not in product.origins:
        raise OriginNotRegistered(origin_advice(product.key, product.origins, origin or "") or "")
    return origin


def require_origin_of(product: Product, *, by_cookie: bool) -> None:
    """Refuse a call that comes from no page of the product. Raises ``OriginNotRegistered``.

    An unsafe method requires the ``Origin`` header. A browser sends none with a same-origin GET. Such a GET
    is accepted with a bearer token, and with a cookie only if ``Sec-Fetch-Site`` is ``same-origin``.
    """
    if request.method not in SAFE_METHODS or ORIGIN in request.headers:
        calling_origin(product)
    elif by_cookie and request.headers.get(FETCH_SITE) != "same-origin":
        raise OriginNotRegistered("a call that rests on a cookie must come from the same origin")


def launch_is_direct(attempt: Attempt) -> bool:
    """Whether a launch comes from the page that created the attempt, or from an opening page for it.

    A launch from elsewhere, such as a link that was passed on, could make one user connect another user's
    account. The BFF's own ``Origin`` is not sufficient: any registered page can open an opening page and give
    it a launch token of its choice. The opening page therefore posts the product and origin that it was
    opened for, and these must be the attempt's.
    """
    origin, opened_for = request.headers.get(ORIGIN), _opened_for()
    if origin != services().urls.public_origin:
        return origin == attempt.origin
    if opened_for == (None, None):
        # Not from an opening page, which always sends both. The page that created the attempt may be at the
        # BFF's own origin (a host's Flask app, or the Studio), and launch in its own tab.
        return origin == attempt.origin
    return opened_for == (attempt.product, attempt.origin)


def launch_is_confirmed(attempt: Attempt) -> bool:
    """Whether a user pressed the button of the interstitial page, which is at the BFF's own origin."""
    if request.headers.get(ORIGIN) != services().urls.public_origin:
        return False
    return services().sessions.confirmations.is_pressed(attempt, request.form.get(confirmations.FIELD, ""))


def _opened_for() -> tuple[str | None, str | None]:
    return request.form.get("product"), request.form.get("origin")
