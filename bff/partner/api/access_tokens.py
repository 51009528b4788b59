"""Returns the access token of an account connector, for the API client's own calls to the third party."""

from __future__ import annotations

import math

from flask import Blueprint, Response
from pydantic import BaseModel

from bff.partner import clock
from bff.partner.access import account_level, answer, body
from bff.partner.context import embedded
from bff.partner.crypto import CannotOpen
from bff.partner.grants import refresh
from bff.partner.openapi import describe
from bff.partner.openapi.describe import Access

routes = Blueprint("access_tokens", __name__)


class TokenWish(BaseModel):
    """Options of the request. ``Force``: refresh the token even if it has not expired."""

    Force: bool | None = None


class ConnectionToken(BaseModel):
    """A valid access token of the third party."""

    AccessToken: str
    TokenType: str
    ExpiresAtUtc: str | None
    Scopes: list[str] | None
    Extra: dict[str, str]


@routes.post("/v1.0/account/connectors/<int:account_connector_id>/accesstoken")
@describe.operation(ConnectionToken, 404, 409, access=Access.ACCOUNT, body=TokenWish)
def give(account_connector_id: int) -> Response:
    """Return a valid access token.

    It is refreshed if it is about to expire, or with ``{"Force": true}``. Status 409: the user has to sign in
    again, also if what is stored cannot be decrypted. Status 503, with ``Retry-After``: the third party is
    not available. Hitchpost's own call; Cyclr has none.
    """
    account_id = account_level()
    try:
        force = body().get("Force") is True
        credentials = refresh.usable(embedded(), account_id, account_connector_id, force=force)
    except (refresh.NeedsSignIn, CannotOpen):
        return answer({"Message": "There is no access token: the user has to sign in again."}, 409)
    except refresh.Unavailable as error:
        response = answer({"Message": "The third party gives no access token just now."}, 503)
        response.headers["Retry-After"] = str(math.ceil(error.retry_after))
        return response
    response = answer(
        {
            "AccessToken": credentials.access_token,
            "TokenType": "Bearer",
            "ExpiresAtUtc": clock.dot_net(credentials.expires_at),
            "Scopes": credentials.scope.split() if credentials.scope is not None else None,
            "Extra": dict(credentials.extra),
        }
    )
    response.headers["Cache-Control"] = "no-store"
    return response
