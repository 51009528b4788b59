"""Authenticates a request: a signed-in principal, or a host's server by its secret key."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import structlog
from flask import request
from werkzeug.exceptions import HTTPException

from bff.common import actors
from bff.common.errors import InvalidRequest, NotSignedIn
from bff.common.secret import Secret
from bff.content.product import Product
from bff.identity.principal import Principal
from bff.identity.principals import principal_fault, shape_fault, with_text_ids
from bff.serving.logs import about
from bff.web.kit import audit
from bff.web.kit.guards import require_custom_header, require_origin_of
from bff.web.kit.services import Identify, services

WRONG_KEY: Final = (
    "this bearer is no secret key of any product here; send a secret key of your product, one of secret_keys "
    "or what secret_key_env names in the product file, and apply that file"
)

log = structlog.get_logger("hitchpost.http")


def bearer() -> str | None:
    """The bearer token of this request (RFC 6750 section 2.1), unverified."""
    # The scheme has no case (RFC 9110, section 11.1).
    scheme, space, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if space and scheme.lower() == "bearer" else None


def signed_in() -> tuple[Product, Principal]:
    """The principal of this request and their product, called from one of the product's own origins.

    Tried in this order: session token, then the host app's own session. Raises ``NotSignedIn`` or
    ``OriginNotRegistered``.
    """
    token, identify = bearer(), services().sessions.identify
    principal: Principal | None = None
    if token is not None:
        principal = services().sessions.tokens.read(token)
    elif identify is not None:
        require_custom_header()
        principal = _of_host(identify)
    if principal is None:
        raise NotSignedIn("send a session token as Authorization: Bearer, or sign in to the host application")
    audit.known_as(
        actors.user(principal.user.id),
        product=principal.product,
        account=principal.account.id,
        user=principal.user.id,
    )
    product = services().products.get(principal.product)
    if product is None:
        raise NotSignedIn(f"product {principal.product!r} of this session is not known here")
    require_origin_of(product, by_cookie=token is None)
    if principal.account.product != product.key:
        principal = replace(principal, account=replace(principal.account, product=product.key))
    return product, principal


def _of_host(identify: Identify) -> Principal | None:
    """The principal according to the host's own app. Logs a wrong one, and raises ``InvalidRequest``."""
    try:
        given = identify(request)
    except HTTPException:
        raise  # The host answers by itself, such as with abort(401).
    except Exception as error:
        # Neither the partner service's fault nor ours: the log says where in the host's code it is.
        log.error("identify failed", path=request.path, **about(error))  # noqa: TRY400
        raise
    if given is None:
        return None
    fault = shape_fault(given)
    if fault is None:
        principal = with_text_ids(given)
        if (fault := principal_fault(principal)) is None:
            return principal
    log.error("no usable principal", path=request.path, advice=fault)
    raise InvalidRequest(f"the principal that the host app names: {fault}")


def host_server() -> Product:
    """The product whose secret key this request carries. Raises ``NotSignedIn`` or ``RateLimited``."""
    product = _product_of_key()
    if product is None:
        if bearer():
            services().limits.note_failure()
            log.warning("secret key refused", path=request.path, advice=WRONG_KEY)
            raise NotSignedIn(WRONG_KEY)
        raise NotSignedIn("send a secret key of your product as Authorization: Bearer")
    audit.known_as(actors.SERVER, product=product.key)
    return product


def _product_of_key() -> Product | None:
    key = bearer()
    return services().products.find_by_secret_key(Secret(key)) if key else None


def signed_in_or_host_server() -> tuple[Product, Principal | None]:
    """The product, and the principal unless the host's own server calls. Raises ``NotSignedIn``."""
    try:
        return signed_in()
    except NotSignedIn:
        # Not counted as a wrong key: it may be an expired session, and users of one office share an address.
        product = _product_of_key()
        if product is None:
            raise
        return product, None
