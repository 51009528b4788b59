"""The route with which a page exchanges its host's assertion (a JWT) for a session token."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import Field

from bff.common import actors
from bff.common.errors import NotSignedIn
from bff.openapi.operation import Answer
from bff.web.host_api.calls import SignedIn, begin_session
from bff.web.kit import cors
from bff.web.kit.bodies import Body, read_body, validate
from bff.web.kit.guards import calling_origin
from bff.web.kit.limits import BY_ADDRESS
from bff.web.kit.services import services
from bff.web.kit.session_tokens import DEFAULT_LIFE
from bff.web.openapi import describe, parameters, shapes
from bff.web.openapi.describe import Access

routes = Blueprint("hitchpost_exchange", __name__)
routes.after_request(cors.grant)


class NewExchange(Body):
    """The host's assertion (a JWT) and the product that it is for."""

    product: Annotated[str, Field(min_length=1, max_length=64)]
    assertion: Annotated[str, Field(min_length=1)]


@routes.post("/v1/sessions/exchange")
@describe.operation(
    Answer(201, "The token for the page.", shapes.SessionToken),
    access=Access.ANYBODY,
    limit=BY_ADDRESS,
    parameters=(parameters.ORIGIN,),
    body=NewExchange,
    refusals=(
        *("not_signed_in", "origin_not_allowed", "invalid_request"),
        *("keys_unavailable", "storage_unavailable"),
    ),
)
def exchange() -> Response:
    """Exchange an assertion for a session token. Only from a page at one of the product's origins."""
    body = read_body(NewExchange)
    product = services().products.get(body.product)
    if product is None:
        raise NotSignedIn(f"there is no product {body.product!r}")
    calling_origin(product)
    claims = services().sessions.assertions.use(product.key, body.assertion)
    if services().sessions.ends.is_forgotten(datetime.fromtimestamp(claims["iat"], UTC)):
        raise NotSignedIn("iat: it was signed before the database was restored; sign a new one")
    who = validate(SignedIn, _as_body(claims), _sources(claims))
    return begin_session(product, who, DEFAULT_LIFE, actors.user(who.user.id))


def _as_body(claims: Mapping[str, Any]) -> dict[str, Any]:
    # In the form of POST /v1/sessions, so that ids and names are validated by the same model.
    account = claims.get("account")
    if not isinstance(account, dict):
        account = {"id": account, "name": claims.get("account_name")}
    user = {name: claims.get(name) for name in ("name", "email", "locale")}
    return {
        "user": {"id": claims.get("sub"), **user},
        "account": account,
        "connectors": claims.get("connectors"),
    }


def _sources(claims: Mapping[str, Any]) -> dict[str, str]:
    """The claim of each field of ``_as_body``."""
    is_object = isinstance(claims.get("account"), dict)
    account = ("account.id", "account.name") if is_object else ("account", "account_name")
    sources = {"user.id": "sub", **dict(zip(("account.id", "account.name"), account, strict=True))}
    sources |= {f"user.{name}": name for name in ("name", "email", "locale")}
    return {field: f"claim {claim}" for field, claim in sources.items()}
