"""Routes for the host's server, which authenticates with its secret key."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Final

import structlog
from flask import Blueprint, Response
from pydantic import AwareDatetime, BaseModel, Field

from bff.common import actors
from bff.common.errors import InvalidRequest
from bff.common.legible import visible_name
from bff.content.language_names import tag_fault
from bff.content.product import Product
from bff.content.wording import FALLBACK
from bff.identity.principal import AccountRef, Principal, User
from bff.identity.sessions import LONGEST_SESSION
from bff.openapi.operation import Answer
from bff.web.kit import audit
from bff.web.kit.accounts import ConnectionId, Id, Name, Text
from bff.web.kit.authenticate import host_server
from bff.web.kit.bodies import LANGUAGE_TAG, Body, read_body
from bff.web.kit.limits import Limit, Purpose
from bff.web.kit.responses import answer
from bff.web.kit.services import services
from bff.web.kit.session_tokens import DEFAULT_LIFE
from bff.web.openapi import describe, shapes
from bff.web.openapi.describe import Access

routes = Blueprint("hitchpost_host_api", __name__)
MIN_LIFE_SECONDS = 1
MOST_CONNECTORS: Final = 500
MOST_WARNINGS: Final = 500
log = structlog.get_logger("hitchpost.http")


class HostUser(Body):
    """The user: the host's id, and a name, email address and locale for display."""

    id: Id
    name: Name | None = None
    email: Text | None = None
    locale: Annotated[str, Field(pattern=LANGUAGE_TAG, max_length=35)] | None = None

    def user(self) -> User:
        """Convert to the core's ``User``."""
        return User(self.id, self.name if visible_name(self.name) else None, self.email, self.locale)


class HostAccount(Body):
    """The company (or team) whose tools are connected."""

    id: Id
    name: Name | None = None

    def reference(self, product: Product) -> AccountRef:
        """Convert to the core's ``AccountRef``."""
        name = self.name if self.name and visible_name(self.name) else self.id
        return AccountRef(self.id, name, product.key)


class SignedIn(Body):
    """A user whom the host has signed in, and the connectors that they may use (null: all)."""

    user: HostUser
    account: HostAccount
    connectors: Annotated[list[str], Field(max_length=MOST_CONNECTORS)] | None = None


class NewSession(SignedIn):
    """The user of a session token, and its life in seconds."""

    expires_in: Annotated[int, Field(ge=MIN_LIFE_SECONDS, le=int(LONGEST_SESSION.total_seconds()))] = int(
        DEFAULT_LIFE.total_seconds()
    )


class Who(Body):
    """A user or an account, by the host's own id."""

    id: Id


class EndedSessions(Body):
    """The user whose sessions end: those in one account, or all."""

    user: Who
    account: Who | None = None


class NewSignInUrl(Body):
    """The user and connector of a sign-in URL, and the origin to which the outcome is posted."""

    user: HostUser
    account: HostAccount
    connector: Text
    connection: ConnectionId = None
    target_origin: Annotated[str, Field(max_length=2000)]
    callback_message: Annotated[str, Field(max_length=1000)] | None = None


class SessionsEnded(BaseModel):
    """Every session that began before ``ended_before`` has ended."""

    ended_before: AwareDatetime


class MintedUrl(BaseModel):
    """A minted sign-in URL. It can be used once, until it expires."""

    url: Annotated[str, Field(json_schema_extra=shapes.URI)]
    expires_at: AwareDatetime


@routes.post("/v1/sessions")
@describe.operation(
    Answer(201, "The token for the page.", shapes.SessionToken), access=Access.SERVER, body=NewSession
)
def create_session() -> Response:
    """Create a session token for the page of a signed-in user."""
    product, body = host_server(), read_body(NewSession)
    return begin_session(product, body, timedelta(seconds=body.expires_in), actors.SERVER)


def begin_session(product: Product, who: SignedIn, life: timedelta, actor: str) -> Response:
    """Issue a session token at the request of ``actor``, and return the response.

    Raises ``InvalidRequest`` for a connector that the product does not offer.
    """
    unknown = [key for key in who.connectors or [] if product.connector(key) is None]
    if unknown:
        raise InvalidRequest(f"connectors: {', '.join(unknown)}: not offered by product {product.key}")
    principal = Principal(
        product=product.key,
        account=who.account.reference(product),
        user=who.user.user(),
        connectors=frozenset(who.connectors) if who.connectors is not None else None,
    )
    if fault := tag_fault(principal.user.locale or FALLBACK):
        _warn_of_language(product.key, fault)
    token, expires_at = services().sessions.tokens.issue(principal, life)
    audit.session_issued(principal, actor)
    body = {
        "token": token.reveal(),
        "expires_at": expires_at.isoformat(),
        "expires_in": int(life.total_seconds()),
    }
    return answer(body, 201)


@lru_cache(maxsize=MOST_WARNINGS)
def _warn_of_language(product: str, fault: str) -> None:
    # Once for each slip and worker. The user reads the page's own language meanwhile.
    log.warning("unknown language", product=product, advice=f"user.locale: {fault}")


@routes.post("/v1/sessions/end")
@describe.operation(
    Answer(200, "They have ended.", SessionsEnded),
    access=Access.SERVER,
    limit=Limit(by_day=True),
    body=EndedSessions,
)
def end_sessions() -> Response:
    """End every session of a user that began until now: in one account, or in all. Idempotent."""
    product, body = host_server(), read_body(EndedSessions)
    services().limits.spend_of_day("ended sessions", product.key)
    now, account = services().clock(), body.account.id if body.account else None
    services().sessions.ends.end(product.key, body.user.id, account, now)
    return answer({"ended_before": now.isoformat()})


@routes.post("/v1/sign-in-urls")
@describe.operation(
    Answer(201, "The URL to redirect to, at once.", MintedUrl),
    access=Access.SERVER,
    limit=Limit((Purpose.LAUNCH,)),
    body=NewSignInUrl,
    refusals=(
        *("unknown_connector", "origin_not_allowed", "account_of_another_product", "account_unknown"),
        "connection_not_found",
        *describe.PARTNER,
    ),
)
def create_sign_in_url() -> Response:
    """Mint a sign-in URL, for servers that redirect the browser to it at once.

    As ``POST /v1/attempts`` it adds another account to a connector with ``multiple``, or signs in to
    ``connection``.
    """
    product, body = host_server(), read_body(NewSignInUrl)
    account = body.account.reference(product)
    services().accounts.claimed(account)
    services().limits.spend(Purpose.LAUNCH, product.key, body.account.id, body.user.id)
    url, expires_at = services().attempts.sign_in_urls.mint(
        product,
        account,
        body.user.user(),
        connector=body.connector,
        target_origin=body.target_origin,
        callback_message=body.callback_message,
        connection=_named(product, account, body),
    )
    return answer({"url": url.reveal(), "expires_at": expires_at.isoformat()}, 201)


def _named(product: Product, account: AccountRef, body: NewSignInUrl) -> int | None:
    """The account connector of the connection that the body names; None if it names none.

    Raises ``ConnectionNotFound``.
    """
    offered = product.connector(body.connector)
    if body.connection is None or offered is None:  # ``SignInUrls.mint`` refuses an unknown connector.
        return None
    return services().connections.service.known(account, offered, body.connection)
