"""The routes that the host's own server calls, with its secret key."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from flask import Blueprint, Response, request
from pydantic import AfterValidator, Field

from bff.core.errors import InvalidRequest
from bff.core.model import Principal, User
from bff.core.ports import AccountRef
from bff.http.bodies import LANGUAGE_TAG, Body, read_body
from bff.http.identity import host_server
from bff.http.responses import answer
from bff.http.services import services
from bff.http.session_tokens import DEFAULT_LIFE, MAX_LIFE

routes = Blueprint("hitchpost_host_api", __name__)
MIN_LIFE_SECONDS = 1


def _can_travel(value: str) -> str:
    # An id travels in headers, which lose such space on their way: it would name another account.
    if value != value.strip():
        raise ValueError("write it without white space before or after it")
    # And in the paths of URLs, where these two mean another place.
    if value in {".", ".."}:
        raise ValueError("write another id: a dot alone has a meaning of its own in URLs")
    return value


Text = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]
Id = Annotated[Text, AfterValidator(_can_travel)]
Name = Annotated[Text, AfterValidator(str.strip)]


class _User(Body):
    id: Id
    name: Name | None = None
    email: Text | None = None
    locale: Annotated[str, Field(pattern=LANGUAGE_TAG, max_length=35)] | None = None

    def user(self) -> User:
        return User(self.id, self.name or None, self.email, self.locale)


class _Account(Body):
    id: Id
    name: Name | None = None

    def reference(self) -> AccountRef:
        return AccountRef(self.id, self.name or self.id)


class _Session(Body):
    user: _User
    account: _Account
    connectors: list[str] | None = None
    expires_in: Annotated[int, Field(ge=MIN_LIFE_SECONDS, le=int(MAX_LIFE.total_seconds()))] = int(
        DEFAULT_LIFE.total_seconds()
    )


class _SignInUrl(Body):
    user: _User
    account: _Account
    connector: Text
    target_origin: Annotated[str, Field(max_length=2000)]
    callback_message: Annotated[str, Field(max_length=1000)] | None = None


@routes.post("/v1/sessions")
def create_session() -> Response:
    """A session token for the page of a user whom the host has signed in."""
    product, body = host_server(), read_body(_Session)
    unknown = [key for key in body.connectors or [] if product.connector(key) is None]
    if unknown:
        raise InvalidRequest(f"connectors: {', '.join(unknown)}: not offered by product {product.key}")
    principal = Principal(
        product=product.key,
        account=body.account.reference(),
        user=body.user.user(),
        connectors=frozenset(body.connectors) if body.connectors is not None else None,
    )
    token, expires_at = services().session_tokens.issue(principal, timedelta(seconds=body.expires_in))
    return answer({"token": token.reveal(), "expires_at": expires_at.isoformat()}, 201)


@routes.post("/v1/sign-in-urls")
def create_sign_in_url() -> Response:
    """The plain minted URL, for servers that redirect the browser by themselves at once."""
    product, body = host_server(), read_body(_SignInUrl)
    url, expires_at = services().sign_in_urls.mint(
        product,
        body.account.reference(),
        body.user.user(),
        connector=body.connector,
        target_origin=body.target_origin,
        callback_message=body.callback_message,
    )
    return answer({"url": url.reveal(), "expires_at": expires_at.isoformat()}, 201)


@routes.get("/v1/connections")
def connections() -> Response:
    """What an account has connected, asked of the partner service now."""
    product = host_server()
    account = request.args.get("account", "")
    if not account:
        raise InvalidRequest("account: name the account in the query, as ?account=ID")
    found = services().overview.connections(AccountRef(account, account), product.connectors)
    return answer(
        {
            "connections": [
                {
                    "id": str(connection.id),
                    "connector": connection.connector.key,
                    "name": connection.connector.name,
                    "authenticated": connection.authenticated,
                    "external_account": connection.external_account,
                }
                for connection in found
            ]
        }
    )
