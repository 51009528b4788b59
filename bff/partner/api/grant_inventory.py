"""API routes that list or end all grants of a connector. Hitchpost's own; Cyclr has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from flask import Blueprint, Response
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Row, select

from bff.partner import clock
from bff.partner.access import answer, ordered, page_of, partner_level
from bff.partner.account_connectors import store
from bff.partner.context import Embedded, embedded
from bff.partner.errors import missing
from bff.partner.grants import noting, revocation
from bff.partner.openapi import describe
from bff.partner.openapi.describe import ListOf
from bff.partner.storage import tables

routes = Blueprint("grant_inventory", __name__)

BATCH: Final = 100
STORED: Final = frozenset({"live", "refused"})
"""The states of the grants that ``end_all`` ends."""
REVOKE_SECONDS: Final = 10.0
"""How long a request revokes grants. The remaining ones are revoked in the background."""


@dataclass(frozen=True)
class Ended:
    """The result of ``end_all``: the numbers of ended connections and of grants not yet revoked."""

    connections: int
    pending: int


class Grant(BaseModel):
    """A live grant, one that the third party refuses, or one whose revocation is pending or was given up.

    ``refused``: the service keeps it and tries again; ``Error`` is the reason.
    """

    State: Literal["live", "refused", "revocation pending", "revocation given up"]
    AccountId: str
    AccountConnectorId: int
    Name: str | None
    ExternalAccount: str | None
    AuthenticatedAtUtc: str | None
    Scopes: list[str] | None
    Error: str | None


class GrantsEnded(BaseModel):
    """The numbers of ended connections, and of grants that are not yet revoked."""

    Deauthenticated: int
    RevocationsPending: int


@routes.get("/v1.0/connectors/<connector>/grants")
@describe.operation(ListOf(Grant), 404)
def list_all(connector: str) -> Response:
    """List the stored grants of a connector in all accounts, and those not yet revoked, without secrets."""
    partner_level()
    service = embedded()
    return page_of(ordered(listed(service, connector_id_of(service, connector)), "AccountConnectorId"))


@routes.post("/v1.0/connectors/<connector>/grants/revoke")
@describe.operation(GrantsEnded, 404)
def revoke_all(connector: str) -> Response:
    """End all grants of a connector.

    Each account has to sign in again.
    """
    partner_level()
    service = embedded()
    ended = end_all(service, connector_id_of(service, connector))
    return answer({"Deauthenticated": ended.connections, "RevocationsPending": ended.pending})


def listed(service: Embedded, connector_id: int) -> list[dict[str, Any]]:
    """The grants of a connector in the form of the API."""
    table = tables.account_connector
    stored = select(table).where(_is_stored(connector_id)).order_by(table.c.id)
    with service.database.reading() as connection:
        grants = [_stored(service, row) for row in connection.execute(stored)]
        return grants + [_pending(row) for row in revocation.pending(connection, connector_id)]


def end_all(service: Embedded, connector_id: int) -> Ended:
    """End all connections of a connector, and revoke grants for at most ``REVOKE_SECONDS`` seconds."""
    table, count = tables.account_connector, 0
    stored = select(table).where(_is_stored(connector_id))
    while True:
        with service.database.writing() as connection:
            rows = list(connection.execute(stored.limit(BATCH).with_for_update()))
            for row in rows:
                revocation.take_out_of_use(service, connection, row)
        count += len(rows)
        if len(rows) < BATCH:
            break
    with service.database.writing() as connection:
        noting.throw_away_held(service, connection, table.c.connector_id == connector_id)
    revocation.retry_revocations(service, count + BATCH, seconds=REVOKE_SECONDS)
    with service.database.reading() as connection:
        pending = [row for row in revocation.pending(connection, connector_id) if row.given_up_at is None]
        return Ended(count, len(pending))


def connector_id_of(service: Embedded, connector: str) -> int:
    """The id of a connector, from its id, key or name. Any number is accepted, also of a removed connector.

    Raises ``ApiError`` (404) for an unknown name.
    """
    if connector.isascii() and connector.isdigit() and len(connector) < 10:
        return int(connector)
    if not (connectors := service.catalogue.by_name(connector)):
        raise missing("Connector")
    return connectors[0].id


def _is_stored(connector_id: int) -> ColumnElement[bool]:
    """The condition of the grants that ``end_all`` ends. A refused one is kept, and tried again."""
    table = tables.account_connector.c
    return (table.connector_id == connector_id) & (
        table.authenticated.is_(True) | table.credentials.is_not(None)
    )


def _stored(service: Embedded, row: Row[Any]) -> dict[str, Any]:
    return {
        "State": "live" if row.authenticated else "refused",
        "AccountId": row.account_id,
        "AccountConnectorId": row.id,
        "Name": row.name,
        "ExternalAccount": row.external_account,
        "AuthenticatedAtUtc": clock.dot_net(row.authenticated_at),
        "Scopes": store.scopes_of(store.credentials_of(service, row)),
        "Error": None if row.authenticated else row.grant_reason,
    }


def _pending(row: Row[Any]) -> dict[str, Any]:
    return {
        "State": "revocation pending" if row.given_up_at is None else "revocation given up",
        "AccountId": row.account_id,
        "AccountConnectorId": row.account_connector_id,
        "Name": None,
        "ExternalAccount": row.external_account,
        "AuthenticatedAtUtc": None,
        "Scopes": None,
        "Error": row.error,
    }
