"""The access token of a connection, for an API client's own calls of the third party. Hitchpost's own."""

from __future__ import annotations

import math

from flask import Blueprint, Response
from pydantic import BaseModel

from bff.partner import clock
from bff.partner.access import account_level, answer, body
from bff.partner.context import embedded
from bff.partner.grants import refresh
from bff.partner.openapi import describe
from bff.partner.openapi.describe import Access

routes = Blueprint("access_tokens", __name__)


class TokenWish(BaseModel):
    """``Force``: refresh the token although it seems good."""

    Force: bool | None = None


class ConnectionToken(BaseModel):
    """An access token of a third party that can be used now."""

    AccessToken: str
    TokenType: str
    ExpiresAtUtc: str | None
    Scopes: list[str] | None
    Extra: dict[str, str]


@routes.post("/v1.0/account/connectors/<int:account_connector_id>/accesstoken")
@describe.operation(ConnectionToken, 404, 409, access=Access.ACCOUNT, body=TokenWish)
def give(account_connector_id: int) -> Response:
    """A token that can be used now, refreshed where its end is near; with ``{"Force": true}`` in any case.

    409 when the user has to sign in again, 503 with ``Retry-After`` when the third party is away.
    """
    account_id = account_level()
    try:
        force = body().get("Force") is True
        found = refresh.usable(embedded(), account_id, account_connector_id, force=force)
    except refresh.NeedsSignIn:
        return answer({"Message": "There is no access token: the user has to sign in again."}, 409)
    except refresh.Unavailable as error:
        response = answer({"Message": "The third party gives no access token just now."}, 503)
        response.headers["Retry-After"] = str(math.ceil(error.retry_after))
        return response
    response = answer(
        {
            "AccessToken": found.access_token,
            "TokenType": "Bearer",
            "ExpiresAtUtc": clock.dot_net(found.expires_at),
            "Scopes": found.scope.split() if found.scope is not None else None,
            "Extra": dict(found.extra),
        }
    )
    response.headers["Cache-Control"] = "no-store"
    return response
