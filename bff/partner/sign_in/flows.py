"""OAuth flows between start and callback: each has a ``state`` and is bound to one browser."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog
from flask import json
from sqlalchemy import Connection, Row, func, select, union_all, update

from bff.partner import clock
from bff.partner.account_connectors import properties, sign_ins
from bff.partner.account_connectors.client import client_of, values_for
from bff.partner.context import Embedded
from bff.partner.crypto import CannotOpen, sha256
from bff.partner.errors import FlowError
from bff.partner.providers import templates
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Client
from bff.partner.sign_in import authorize, stale
from bff.partner.sign_in.flow_cookies import LIFE, Binding, all_shown, cookie_name, shown
from bff.partner.storage import tables
from bff.partner.storage.database import adding

KEY_MISSING: Final = "encryption_key_missing"
_ADD: Final = adding(
    tables.flow,
    *("state_sha256", "cookie_sha256", "account_connector_id", "token_sha256", "verifier"),
    *("target_origin", "callback_message", "expires_at"),
)
log = structlog.get_logger("hitchpost.embedded")


@dataclass(frozen=True)
class Wanted:
    """The account connector and token of a sign-in, and the target and message that report its end."""

    account_connector_id: int
    token_sha256: str
    target: str
    message: str | None


@dataclass(frozen=True)
class Flow:
    """A flow whose response has arrived."""

    wanted: Wanted
    verifier: str
    values: Mapping[str, str]
    """The account's properties in the authorization request. The token request uses the same."""


def begin(
    service: Embedded,
    connection: Connection,
    item: CatalogueConnector,
    client: Client,
    wanted: Wanted,
    properties_set: Mapping[str, str],
) -> tuple[str, Binding]:
    """Store a new flow. Returns the authorization URL and the cookie to set.

    Raises ``FlowError`` if a property does not fit into the URL.
    """
    state, secret, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    values = values_for(item, properties_set)
    try:
        url = authorize.url_for(
            item, client, values, authorize.Secrets(state, verifier), service.settings.redirect_uri
        )
    except templates.Unfit as error:
        raise FlowError(400, "unset_properties", names=[error.name]) from None
    # The prefix is the time in milliseconds. ``set_on`` finds the oldest cookies by it.
    value = f"{int(clock.now().timestamp() * 1000):014}.{secret}"
    row = {
        "state_sha256": sha256(state),
        "cookie_sha256": sha256(value),
        "account_connector_id": wanted.account_connector_id,
        "token_sha256": wanted.token_sha256,
        "verifier": service.vault.seal(json.dumps([verifier, values]), sealed_in(sha256(state), wanted)),
        "target_origin": wanted.target,
        "callback_message": wanted.message,
        "expires_at": clock.now() + LIFE,
    }
    _ADD.run(connection, **row)
    return url, Binding(state, value, is_secure(service))


def take_up(
    service: Embedded, state: str, cookies: Mapping[str, str]
) -> tuple[Flow, CatalogueConnector, Client]:
    """Mark the flow of this state as used and return it. Raises ``FlowError``.

    The statement that marks it also checks the cookie. A response from another browser than the one that
    began the flow therefore leaves it unused.
    """
    table = tables.flow
    condition = (
        (table.c.state_sha256 == sha256(state))
        & (table.c.cookie_sha256 == sha256(cookies.get(cookie_name(state, is_secure(service)), "")))
        & table.c.used_at.is_(None)
        & (table.c.expires_at > clock.now())
    )
    with service.database.writing() as connection:
        taken = connection.execute(update(table).where(condition).values(used_at=clock.now())).rowcount == 1
        row = connection.execute(select(table).where(table.c.state_sha256 == sha256(state))).one_or_none()
    if not taken or row is None:
        raise stale.explain(service, row, _is_proved(service, state, row, cookies))
    return _decrypt(service, row)


@dataclass(frozen=True)
class Alone:
    """The only unfinished flow of a browser."""

    state_sha256: str
    flow: Flow
    item: CatalogueConnector
    client: Client


def alone(service: Embedded, cookies: Mapping[str, str]) -> Alone | None:
    """The only unfinished flow of this browser; None if it has none or several. Raises ``FlowError``.

    Used for errors that come back without a ``state``. With several flows the wrong one could be ended.
    """
    table, hashes = tables.flow, [sha256(value) for value in all_shown(cookies, secure=is_secure(service))]
    live = table.c.cookie_sha256.in_(hashes) & table.c.used_at.is_(None) & (table.c.expires_at > clock.now())
    if not hashes:
        return None
    with service.database.reading() as connection:
        rows = connection.execute(select(table).where(live).limit(2)).all()
    return Alone(rows[0].state_sha256, *_decrypt(service, rows[0])) if len(rows) == 1 else None


def use_up(service: Embedded, begun: Alone) -> bool:
    """Mark the flow as used. True for one of concurrent callers."""
    table = tables.flow
    condition = (table.c.state_sha256 == begun.state_sha256) & table.c.used_at.is_(None)
    with service.database.writing() as connection:
        return connection.execute(update(table).where(condition).values(used_at=clock.now())).rowcount == 1


def times_begun(connection: Connection, token_sha256: str) -> int:
    """The number of flows that were begun with a token."""
    wanted = select(func.count()).where(tables.flow.c.token_sha256 == token_sha256)
    return int(connection.execute(wanted).scalar_one())


def is_running(connection: Connection, token_sha256: str) -> bool:
    """Whether a flow of this token, or the completion that follows it, can still connect."""
    wanted = (
        select(table.c.token_sha256).where(
            table.c.token_sha256 == token_sha256, table.c.expires_at > clock.now()
        )
        for table in (tables.flow, tables.completion)
    )
    return connection.execute(union_all(*wanted)).first() is not None


def _decrypt(service: Embedded, row: Row[Any]) -> tuple[Flow, CatalogueConnector, Client]:
    """Decrypt a flow. If that fails, the sign-in is ended. Raises ``FlowError``."""
    wanted = Wanted(row.account_connector_id, row.token_sha256, row.target_origin, row.callback_message)
    with ending(service, wanted):
        with service.database.reading() as connection:
            item, client = registration(service, connection, row.account_connector_id)
        sealed = service.vault.open(row.verifier, sealed_in(row.state_sha256, row))
    verifier, values = json.loads(sealed)
    return Flow(wanted, verifier, values), item, client


@contextmanager
def ending(service: Embedded, wanted: Wanted) -> Iterator[None]:
    """End the sign-in if the block raises ``CannotOpen`` or ``FlowError``. Raises ``FlowError``."""
    try:
        yield
    except CannotOpen:
        about = {"account_connector": wanted.account_connector_id}
        log.error("a sign-in does not open: its key is missing", **about)  # noqa: TRY400
        error, error_page = KEY_MISSING, FlowError(500, "failed", error=KEY_MISSING)
    except FlowError as refused:
        error, error_page = refused.reason, refused
    else:
        return
    with service.database.writing() as connection:
        sign_ins.finish(connection, wanted.token_sha256, "failed", error=error)
    raise error_page.concerns(wanted.target, wanted.message) from None


def _is_proved(service: Embedded, state: str, row: Row[Any] | None, cookies: Mapping[str, str]) -> bool:
    """Whether the browser has the cookie from the start or the end of this flow."""
    values = shown(state, cookies, secure=is_secure(service))
    return row is not None and row.cookie_sha256 in map(sha256, values)


def targets_of(connection: Connection, token_sha256: str) -> set[str]:
    """The targets of the flows that were begun with this token."""
    wanted = select(tables.flow.c.target_origin).where(tables.flow.c.token_sha256 == token_sha256)
    return set(connection.scalars(wanted))


def registration(
    service: Embedded, connection: Connection, account_connector_id: int
) -> tuple[CatalogueConnector, Client]:
    """The catalogue entry and the client of an account connector. Raises ``FlowError``."""
    installed = tables.account_connector
    wanted = select(installed.c.connector_id).where(installed.c.id == account_connector_id)
    connector_id = connection.execute(wanted).scalar_one_or_none()
    if connector_id is None:
        raise FlowError(410, "removed")
    item = service.catalogue.by_id(connector_id)
    if item is None:
        raise FlowError(400, "not_offered")
    return item, client_of(item, properties.values_of(service, connection, account_connector_id))


class ForWhom(Protocol):
    """Identifies a sign-in: the SHA-256 of its token, and the account connector to connect."""

    @property
    def account_connector_id(self) -> Any:
        """The id of the account connector."""

    @property
    def token_sha256(self) -> Any:
        """The SHA-256 of the token, in hexadecimal."""


def sealed_in(state_sha256: str, whose: ForWhom) -> str:
    """The context that a verifier is encrypted for: table, row, column and sign-in."""
    return f"flow:{state_sha256}:verifier:{whose.account_connector_id}:{whose.token_sha256}"


def is_secure(service: Embedded) -> bool:
    """Whether browsers reach this service over TLS. Its cookies are ``Secure`` then."""
    return service.settings.public_url.startswith("https:")
