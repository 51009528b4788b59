"""``POST /oauth/token``: access tokens for API clients (RFC 6749, section 4.4)."""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from typing import Annotated, Final, Literal

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import insert

from bff.partner import clock
from bff.partner.access import answer, form
from bff.partner.context import embedded
from bff.partner.crypto import sha256
from bff.partner.limits import caller_address
from bff.partner.openapi import describe
from bff.partner.openapi.describe import Access
from bff.partner.storage import tables

routes = Blueprint("api_tokens", __name__)

LIFE: Final = timedelta(days=14)
ACCOUNT_SCOPE: Final = "account:"
SCHEME: Final = "bearer"


class TokenForm(BaseModel):
    """A token request (RFC 6749, section 4.4.2). HTTP Basic authentication is accepted as well."""

    grant_type: Literal["client_credentials"]
    client_id: str = ""
    client_secret: str = ""
    scope: Annotated[str, Field(description="`account:{id}` restricts the token to one account.")] = ""


class AccessToken(BaseModel):
    """An access token that is valid for 14 days."""

    model_config = ConfigDict(validate_by_alias=True, serialize_by_alias=True)

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int
    clientId: str  # noqa: N815  # Cyclr's own spelling
    refresh: Annotated[str, Field(alias=".refresh")]
    issued: Annotated[str, Field(alias=".issued")]
    expires: Annotated[str, Field(alias=".expires")]


class OAuthError(BaseModel):
    """A refused token request (RFC 6749, section 5.2)."""

    error: Literal["invalid_client", "unsupported_grant_type", "invalid_scope"]


@routes.post("/oauth/token")
@describe.operation(AccessToken, access=Access.ANYBODY, limited=True, form=TokenForm, error=OAuthError)
def issue() -> Response:
    """Issue an access token that is valid for 14 days.

    ``scope=account:{id}`` restricts it to one account.
    """
    settings, limits = embedded().settings, embedded().limits
    authorization = request.authorization
    if authorization is not None and authorization.type == "basic":
        client, secret = authorization.username or "", authorization.password or ""
    else:
        client, secret = form("client_id"), form("client_secret")
    client_matches = hmac.compare_digest(client.encode(), settings.client_id.encode())
    secret_matches = hmac.compare_digest(secret.encode(), settings.client_secret.get_secret_value().encode())
    if not (client_matches and secret_matches):
        limits.api("failures", settings.limit_failures, caller_address())
        return _refused("invalid_client")
    limits.api("token", settings.limit_client_tokens, client)
    if form("grant_type") != "client_credentials":
        return _refused("unsupported_grant_type")
    scope = form("scope")
    if scope and (not scope.startswith(ACCOUNT_SCOPE) or scope == ACCOUNT_SCOPE):
        return _refused("invalid_scope")
    return _granted(client, scope.removeprefix(ACCOUNT_SCOPE) or None)


def _granted(client: str, account_id: str | None) -> Response:
    token, now = secrets.token_hex(32), clock.now()
    row = {"sha256": sha256(token), "scope_account_id": account_id, "expires_at": now + LIFE}
    with embedded().database.writing() as connection:
        connection.execute(insert(tables.api_token).values(row))
    return _no_store(
        answer(
            {
                "access_token": token,
                "token_type": SCHEME,
                # One second less, as at Cyclr.
                "expires_in": int(LIFE.total_seconds()) - 1,
                "clientId": client,
                ".refresh": "False",
                ".issued": clock.rfc_1123(now),
                ".expires": clock.rfc_1123(now + LIFE),
            }
        )
    )


def _refused(error: str) -> Response:
    return _no_store(answer({"error": error}, 400))


def _no_store(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
