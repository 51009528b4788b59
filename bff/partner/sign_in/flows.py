"""One OAuth flow between its start and its callback: its state, and the browser that it is bound to."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog
from flask import json
from sqlalchemy import Connection, Row, func, select, update

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
    values: Mapping[str, str]
    """The account's own values that stood in the request: the answer goes back to where it came from."""


def begin(
    service: Embedded,
    connection: Connection,
    item: CatalogueConnector,
    client: Client,
    wanted: Wanted,
    properties_set: Mapping[str, str],
) -> tuple[str, Binding]:
    """The URL at the third party, and the cookie to set. Raises ``FlowError`` for a value that is unfit."""
    state, secret, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    values = values_for(item, properties_set)
    try:
        url = authorize.url_for(
            item, client, values, authorize.Secrets(state, verifier), service.settings.redirect_uri
        )
    except templates.Unfit as error:
        raise FlowError(400, "unset_properties", names=[error.name]) from None
    # The time in front is for ``set_on``: browsers do not tell which of their cookies is the oldest.
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
    """The flow of this state, used up by this call. Raises ``FlowError``.

    The browser must be the one that began it: state and cookie are checked in the one statement that uses
    the flow up, so that an answer brought by another browser leaves it whole.
    """
    table = tables.flow
    ours = (
        (table.c.state_sha256 == sha256(state))
        & (table.c.cookie_sha256 == sha256(cookies.get(cookie_name(state, is_secure(service)), "")))
        & table.c.used_at.is_(None)
        & (table.c.expires_at > clock.now())
    )
    with service.database.writing() as connection:
        taken = connection.execute(update(table).where(ours).values(used_at=clock.now())).rowcount == 1
        row = connection.execute(select(table).where(table.c.state_sha256 == sha256(state))).one_or_none()
    if not taken or row is None:
        raise stale.explain(service, row, _is_proved(service, state, row, cookies))
    return _opened(service, row)


@dataclass(frozen=True)
class Alone:
    """The one flow that a browser has begun and not finished."""

    state_sha256: str
    flow: Flow
    item: CatalogueConnector
    client: Client


def alone(service: Embedded, cookies: Mapping[str, str]) -> Alone | None:
    """The one flow that this browser has begun and not finished, used up by nobody yet; else None.

    For errors that come back without a state: to choose between two could end the wrong one.
    """
    table, hashes = tables.flow, [sha256(value) for value in all_shown(cookies, secure=is_secure(service))]
    live = table.c.cookie_sha256.in_(hashes) & table.c.used_at.is_(None) & (table.c.expires_at > clock.now())
    if not hashes:
        return None
    with service.database.reading() as connection:
        rows = connection.execute(select(table).where(live).limit(2)).all()
    return Alone(rows[0].state_sha256, *_opened(service, rows[0])) if len(rows) == 1 else None


def use_up(service: Embedded, begun: Alone) -> bool:
    """Of any number who bring an answer to it at once, one is told True."""
    table = tables.flow
    ours = (table.c.state_sha256 == begun.state_sha256) & table.c.used_at.is_(None)
    with service.database.writing() as connection:
        return connection.execute(update(table).where(ours).values(used_at=clock.now())).rowcount == 1


def times_begun(connection: Connection, token_sha256: str) -> int:
    """How many flows a token has begun."""
    wanted = select(func.count()).where(tables.flow.c.token_sha256 == token_sha256)
    return int(connection.execute(wanted).scalar_one())


def _opened(service: Embedded, row: Row[Any]) -> tuple[Flow, CatalogueConnector, Client]:
    """What a flow that was used up holds. Raises ``FlowError``, its sign-in ended, where that is lost."""
    purpose = Wanted(row.account_connector_id, row.token_sha256, row.target_origin, row.callback_message)
    with ending(service, purpose):
        with service.database.reading() as connection:
            item, client = registration(service, connection, row.account_connector_id)
        sealed = service.vault.open(row.verifier, sealed_in(row.state_sha256, row))
    # A text alone: sealed by an older release.
    verifier, values = json.loads(sealed) if sealed.startswith("[") else (sealed, {})
    return Flow(purpose, verifier, values), item, client


@contextmanager
def ending(service: Embedded, wanted: Wanted) -> Iterator[None]:
    """What does not open, or is offered no more, ends the sign-in with its cause. Raises ``FlowError``."""
    try:
        yield
    except CannotOpen:
        about = {"account_connector": wanted.account_connector_id}
        log.error("a sign-in does not open: its key is missing", **about)  # noqa: TRY400
        error, told = KEY_MISSING, FlowError(500, "failed", error=KEY_MISSING)
    except FlowError as refused:
        error, told = refused.reason, refused
    else:
        return
    with service.database.writing() as connection:
        sign_ins.finish(connection, wanted.token_sha256, "failed", error=error)
    raise told.concerns(wanted.target, wanted.message) from None


def _is_proved(service: Embedded, state: str, row: Row[Any] | None, cookies: Mapping[str, str]) -> bool:
    """Whether the browser shows what it got when this flow began, or when it ended."""
    values = shown(state, cookies, secure=is_secure(service))
    return row is not None and row.cookie_sha256 in map(sha256, values)


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
    connector_id = connection.execute(wanted).scalar_one_or_none()
    if connector_id is None:
        raise FlowError(410, "removed")
    item = service.catalogue.by_id(connector_id)
    if item is None:
        raise FlowError(400, "not_offered")
    return item, client_of(item, properties.values_of(service, connection, account_connector_id))


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


def is_secure(service: Embedded) -> bool:
    """Whether browsers reach this service over TLS: then its cookies are for TLS only."""
    return service.settings.public_url.startswith("https:")
