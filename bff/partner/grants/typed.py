"""What a user typed in place of a sign-in at the third party: kept at once, or held for a choice.

An API key, a user name and password, or a client of the user's own, and the properties that go with them.
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
"""What is held reads as a grant that nobody can revoke, for whoever looks for grants."""


@dataclass(frozen=True)
class Typed:
    """``properties`` by name, and the ``AuthValue``: none where the properties are all there is."""

    properties: Mapping[str, str] = field(repr=False)
    auth_value: str | None = field(default=None, repr=False)

    @property
    def as_properties(self) -> list[dict[str, str]]:
        """The properties as the API takes them."""
        return [{"Name": name, "Value": value} for name, value in self.properties.items()]


def keep(
    service: Embedded, connection: Connection, row: Row[Any], typed: Typed, account: str | None
) -> str | None:
    """Connect with what was typed; the note of a grant of another kind that it replaces, to be revoked."""
    noted, table = None, tables.account_connector
    properties.put(service, connection, row.id, row.connector_id, typed.as_properties)
    if row.credentials is not None:
        context = store.sealed_in(row, "credentials")
        noted = noting.throw_away_sealed(service, connection, noting.owner_of(row), row.credentials, context)
    auth_value = typed.auth_value
    values = {
        "auth_value": auth_value and service.vault.seal(auth_value, store.sealed_in(row, "auth_value")),
        "credentials": None,
        "grant_sha256": None,
        "grant_reason": None,
        "next_refresh_at": key_upkeep.first_look(service.catalogue.by_id(row.connector_id)),
        "refresh_not_before": None,
        "refresh_failures": 0,
        "authenticated": True,
        "authenticated_at": clock.now(),
        "external_account": account,
    }
    connection.execute(update(table).where(table.c.id == row.id).values(values))
    return noted


def hold(service: Embedded, row: Row[Any], token_sha256: str, typed: Typed, grant: str | None = None) -> str:
    """What was typed, sealed until the user chooses; ``grant`` is the sealed one that was got with it."""
    context = store.held_in(row, token_sha256)
    base = json.loads(service.vault.open(grant, context)) if grant else _NO_GRANT
    kept = {**base, _HELD: [dict(typed.properties), typed.auth_value]}
    return service.vault.seal(json.dumps(kept), context)


def held(service: Embedded, row: Row[Any], token_sha256: str, sealed: str) -> Typed | None:
    """What was typed, of what is held; None for a grant of a sign-in. Raises ``CannotOpen``."""
    kept = json.loads(service.vault.open(sealed, store.held_in(row, token_sha256)))
    return Typed(*kept[_HELD]) if _HELD in kept else None


def has_grant(typed: Typed) -> bool:
    """Whether a grant was got with it: so it is with a client, and with nothing else."""
    return {"ClientId", "ClientSecret"} <= set(typed.properties)
