"""The route with which the host's server gets a connection's access token. Pages never get one."""

from __future__ import annotations

from flask import Blueprint, Response
from pydantic import AwareDatetime, BaseModel, StrictBool

from bff.openapi.operation import Answer
from bff.web.kit import audit
from bff.web.kit.accounts import account_of
from bff.web.kit.authenticate import host_server
from bff.web.kit.bodies import Body, read_optional_body
from bff.web.kit.limits import Limit, Purpose
from bff.web.kit.responses import answer
from bff.web.kit.services import services
from bff.web.openapi import describe, parameters
from bff.web.openapi.describe import Access

routes = Blueprint("hitchpost_access_tokens", __name__)


class TokenWish(Body):
    """Options of the request. ``force``: get another token, because the third party refuses the last one."""

    force: StrictBool = False


class AccessToken(BaseModel):
    """The token with which the host's server calls the third party."""

    access_token: str
    token_type: str
    expires_at: AwareDatetime | None
    scopes: list[str] | None
    extra: dict[str, str] | None


@routes.post("/v1/connections/<connection_id>/token")
@describe.operation(
    Answer(200, "The access token.", AccessToken),
    access=Access.SERVER,
    limit=Limit((Purpose.TOKEN,)),
    parameters=(parameters.CONNECTION, parameters.ACCOUNT),
    body=TokenWish,
    body_required=False,
    refusals=("connection_not_found", "needs_reconnect", "not_supported_by_partner", "partner_unavailable"),
)
def give(connection_id: str) -> Response:
    """Get a valid access token of the third party. It is refreshed if it expires soon, or with ``force``.

    Of concurrent callers, one refreshes it. Supported by the embedded partner service, not by Cyclr.
    """
    product = host_server()
    wish = read_optional_body(TokenWish)
    account = account_of(product, None)
    services().limits.spend(Purpose.TOKEN, product.key, account.id, connection_id)
    connection = services().connections.service.find(account, product.connectors, connection_id)
    token = services().connections.service.access_token(connection, force=wish.force)
    audit.token_given(product.key, account.id, connection.offered.key, connection.row.account_connector_id)
    return answer(
        {
            "access_token": token.value.reveal(),
            "token_type": token.token_type,
            "expires_at": token.expires_at.isoformat() if token.expires_at else None,
            "scopes": list(token.scopes) if token.scopes is not None else None,
            "extra": dict(token.extra) if token.extra else None,
        }
    )
