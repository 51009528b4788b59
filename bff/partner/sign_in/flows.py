"""One OAuth flow between its start and its callback: its state, and the browser that it is bound to."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol
from urllib.parse import urlencode, urlsplit

from sqlalchemy import Connection, Row, insert, select, update
from werkzeug.wrappers import Response

from bff.partner import clock
from bff.partner.api import properties
from bff.partner.context import Embedded, embedded
from bff.partner.crypto import challenge_of, sha256
from bff.partner.errors import FlowError
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.provider import Client
from bff.partner.sign_in import stale
from bff.partner.storage import tables

LIFE: Final = timedelta(minutes=10)
COOKIE: Final = "hitchpost_flow_"
ENDED: Final = "hitchpost_ended_"
MOST_COOKIES: Final = 10
"""Of each kind, of one browser: some 900 bytes, where servers and proxies begin to refuse at 4 KB."""
MOST_TAKEN: Final = 20
"""So many are taken away by one answer: each is a line of it."""


@dataclass(frozen=True)
class Wanted:
    """What a sign-in is for, and how its end is to be told."""

    account_connector_id: int
    token_sha256: str
    target: str
    message: str | None


@dataclass(frozen=True)
class Flow:
    """A flow whose answer has arrived."""

    wanted: Wanted
    verifier: str


@dataclass(frozen=True)
class Binding:
    """The cookie that ties a flow to the browser that began it."""

    state: str
    value: str
    secure: bool

    def set_on(self, response: Response, cookies: Mapping[str, str]) -> None:
        """One cookie for each flow: two windows at once must not overwrite each other's.

        Of too many among ``cookies``, those that the browser has, the oldest are removed.
        """
        name = _cookie_name(self.state, self.secure)
        _set_bounded(response, cookies, COOKIE, name, self.value, self.secure)


def begin(
    service: Embedded, connection: Connection, item: CatalogueConnector, client: Client, wanted: Wanted
) -> tuple[str, Binding]:
    """The URL at the third party (RFC 6749, 4.1.1; PKCE, RFC 7636), and the cookie to set."""
    state, secret, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    # The time in front is for ``set_on``: browsers do not tell which of their cookies is the oldest.
    value = f"{int(clock.now().timestamp() * 1000):014}.{secret}"
    row = {
        "state_sha256": sha256(state),
        "cookie_sha256": sha256(value),
        "account_connector_id": wanted.account_connector_id,
        "token_sha256": wanted.token_sha256,
        "verifier": service.vault.seal(verifier, sealed_in(sha256(state), wanted)),
        "target_origin": wanted.target,
        "callback_message": wanted.message,
        "expires_at": clock.now() + LIFE,
    }
    connection.execute(insert(tables.flow).values(row))
    asked = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": service.settings.redirect_uri,
        "scope": " ".join(item.scopes),
        "state": state,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
        **item.authorize_params,
    }
    joint = "&" if urlsplit(item.authorize_url or "").query else "?"
    return f"{item.authorize_url}{joint}{urlencode(asked)}", Binding(state, value, _is_secure(service))


def take_up(
    service: Embedded, state: str, cookies: Mapping[str, str]
) -> tuple[Flow, CatalogueConnector, Client]:
    """The flow of this state, used up by this call. Raises ``FlowError``.

    The browser must be the one that began it: state and cookie are checked in the one statement that uses
    the flow up, so that an answer brought by another browser leaves it whole.
    """
    table = tables.flow
    ours = (
        (table.c.state_sha256 == sha256(state))
        & (table.c.cookie_sha256 == sha256(cookies.get(_cookie_name(state, _is_secure(service)), "")))
        & table.c.used_at.is_(None)
        & (table.c.expires_at > clock.now())
    )
    with service.database.writing() as connection:
        taken = connection.execute(update(table).where(ours).values(used_at=clock.now())).rowcount == 1
        row = connection.execute(select(table).where(table.c.state_sha256 == sha256(state))).one_or_none()
        if taken and row is not None:
            try:
                item, client = registration(service, connection, row.account_connector_id)
            except FlowError as error:
                raise error.concerns(row.target_origin, row.callback_message) from None
    if not taken or row is None:
        raise stale.explain(service, row, _is_proved(service, state, row, cookies))
    verifier = service.vault.open(row.verifier, sealed_in(row.state_sha256, row))
    purpose = Wanted(row.account_connector_id, row.token_sha256, row.target_origin, row.callback_message)
    return Flow(purpose, verifier), item, client


def _is_proved(service: Embedded, state: str, row: Row[Any] | None, cookies: Mapping[str, str]) -> bool:
    """Whether the browser shows what it got when this flow began, or when it ended."""
    secure = _is_secure(service)
    shown = [cookies.get(name, "") for name in (_cookie_name(state, secure), _ended_name(state, secure))]
    return row is not None and row.cookie_sha256 in map(sha256, filter(None, shown))


def targets_of(connection: Connection, token_sha256: str) -> set[str]:
    """The targets of the flows that this token has begun."""
    wanted = select(tables.flow.c.target_origin).where(tables.flow.c.token_sha256 == token_sha256)
    return set(connection.scalars(wanted))


def registration(
    service: Embedded, connection: Connection, account_connector_id: int
) -> tuple[CatalogueConnector, Client]:
    """What an account connector is an instance of, and as which client. Raises ``FlowError``."""
    installed = tables.account_connector
    wanted = select(installed.c.connector_id).where(installed.c.id == account_connector_id)
    item = service.catalogue.by_id(connection.execute(wanted).scalar_one())
    if item is None:
        raise FlowError(400, "not_offered")
    return item, client_of(item, properties.values_of(service, connection, account_connector_id))


def client_of(item: CatalogueConnector, values: Mapping[str, str]) -> Client:
    """The account's own app where its properties (``values``) name one, else the catalogue's."""
    if "ClientId" in values:
        return Client(values["ClientId"], values.get("ClientSecret"))
    return Client(item.client_id or "", item.client_secret)


def forget(response: Response, state: str, cookies: Mapping[str, str]) -> None:
    """Remove the cookie of a flow that is over; another one is for coming back to its end once more."""
    secure = _is_secure(embedded())
    name = _cookie_name(state, secure)
    _remove(response, name, secure)
    if name in cookies:
        _set_bounded(response, cookies, ENDED, _ended_name(state, secure), cookies[name], secure)


class ForWhom(Protocol):
    """What a sign-in is for: its token's SHA-256, and the account connector that it is to connect."""

    @property
    def account_connector_id(self) -> Any:
        """The account connector's."""

    @property
    def token_sha256(self) -> Any:
        """The hexadecimal SHA-256."""


def sealed_in(state_sha256: str, whose: ForWhom) -> str:
    """The table, row and column that a verifier is bound to, and whose sign-in it is."""
    return f"flow:{state_sha256}:verifier:{whose.account_connector_id}:{whose.token_sha256}"


def _set_bounded(
    response: Response, cookies: Mapping[str, str], kind: str, name: str, value: str, secure: bool
) -> None:
    prefix = _prefix(secure, kind)
    ours = sorted((value, name) for name, value in cookies.items() if name.startswith(prefix))
    for _, old in ours[: min(max(0, len(ours) - MOST_COOKIES + 1), MOST_TAKEN)]:
        _remove(response, old, secure)
    response.set_cookie(name, value, max_age=LIFE, path="/", secure=secure, httponly=True, samesite="Lax")


def _remove(response: Response, name: str, secure: bool) -> None:
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="Lax")


def _is_secure(service: Embedded) -> bool:
    return service.settings.public_url.startswith("https:")


def _prefix(secure: bool, kind: str = COOKIE) -> str:
    # __Host-: no other host, however near, can set it; browsers ask for Secure and Path=/ in return.
    return f"__Host-{kind}" if secure else kind


def _cookie_name(state: str, secure: bool) -> str:
    return _prefix(secure) + sha256(state)[:16]


def _ended_name(state: str, secure: bool) -> str:
    return _prefix(secure, ENDED) + sha256(state)[:16]
