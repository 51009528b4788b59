"""Stores credentials that a user typed, or holds them while another third-party account is connected.

They are an API key, a user name and password, or a client id and secret, with further properties.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flask import json
from sqlalchemy import Connection, Row, update

from bff.partner import clock
from bff.partner.account_connectors import properties, store
from bff.partner.context import Embedded
from bff.partner.grants import key_upkeep, noting
from bff.partner.storage import tables

_HELD: Final = "typed"
_NO_GRANT: Final = {
    **dict.fromkeys(("refresh_token", "expires_at", "scope", "client")),
    **dict.fromkeys(("access_token",), ""),
}
"""Typed credentials are held in the form of a grant without tokens, so that revocation can read them."""


@dataclass(frozen=True)
class Typed:
    """Typed credentials: ``properties`` by name, and the ``AuthValue`` if the connector has one."""

    properties: Mapping[str, str] = field(repr=False)
    auth_value: str | None = field(default=None, repr=False)

    @property
    def as_properties(self) -> list[dict[str, str]]:
        """The properties in the form of the API."""
        return [{"Name": name, "Value": value} for name, value in self.properties.items()]


def keep(
    service: Embedded, connection: Connection, row: Row[Any], typed: Typed, account: str | None
) -> str | None:
    """Connect with typed credentials. Returns the id of the pending revocation of a grant they replace."""
    revocation_id, table = None, tables.account_connector
    properties.put(service, connection, row.id, row.connector_id, typed.as_properties)
    if row.credentials is not None:
        context = store.sealed_in(row, "credentials")
        revocation_id = noting.throw_away_sealed(
            service, connection, noting.owner_of(row), row.credentials, context
        )
    auth_value = typed.auth_value
    values = {
        "auth_value": auth_value and service.vault.seal(auth_value, store.sealed_in(row, "auth_value")),
        "credentials": None,
        "grant_sha256": None,
        "grant_reason": None,
        "next_refresh_at": key_upkeep.first_look(service.catalogue.by_id(row.connector_id)),
        "refresh_not_before": None,
        "refresh_failures": 0,
        "refresh_lease_ends": None,
        "authenticated": True,
        "authenticated_at": clock.now(),
        "external_account": account,
    }
    connection.execute(update(table).where(table.c.id == row.id).values(values))
    return revocation_id


def hold(service: Embedded, row: Row[Any], token_sha256: str, typed: Typed, grant: str | None = None) -> str:
    """Encrypt typed credentials to hold them. ``grant``: the encrypted grant obtained with them, if any."""
    context = store.held_in(row, token_sha256)
    base = json.loads(service.vault.open(grant, context)) if grant else _NO_GRANT
    document = {**base, _HELD: [dict(typed.properties), typed.auth_value]}
    return service.vault.seal(json.dumps(document), context)


def held(service: Embedded, row: Row[Any], token_sha256: str, sealed: str) -> Typed | None:
    """Decrypt held typed credentials; None if an OAuth sign-in's grant is held. Raises ``CannotOpen``."""
    document = json.loads(service.vault.open(sealed, store.held_in(row, token_sha256)))
    return Typed(*document[_HELD]) if _HELD in document else None


def has_grant(typed: Typed) -> bool:
    """Whether a grant was obtained with them, which is the case for a client id and secret only."""
    return {"ClientId", "ClientSecret"} <= set(typed.properties)
