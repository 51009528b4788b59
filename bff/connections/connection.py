"""A connection: an account connector of an account, as the BFF stores it and reports it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bff.connections.scopes import missing_scopes


class State(StrEnum):
    """The state of a connection, or of a connector for an account.

    ``pending`` and ``unknown`` are only reported, never stored.
    """

    DISCONNECTED = "disconnected"
    PENDING = "pending"
    CONNECTED = "connected"
    NEEDS_RECONNECT = "needs_reconnect"
    UNKNOWN = "unknown"


EXISTING = frozenset({State.CONNECTED, State.NEEDS_RECONNECT})
"""States with a grant, working or lost: a connection that exists."""


@dataclass(frozen=True)
class Stored:
    """A stored connection. Times are in UTC.

    ``connected_by``: the host's user id; None if unknown. ``owner``: the user who connected it first.
    ``authenticated_at``: the partner service's time of the latest sign-in. ``sequence`` counts events,
    ``version`` every change, for optimistic locking. ``look_at``: when to check it without a request.
    ``ending_until``: until then ``ending_by`` is ending it. ``taken_until``: until then it is claimed by the
    attempt ``taken_by``, unless that has ended.
    """

    product: str
    account_id: str
    account_connector_id: int
    connector_key: str
    connector_name: str
    state: State
    changed_at: datetime
    seen_at: datetime
    sequence: int = 0
    version: int = 0
    reason: str | None = None
    connected_at: datetime | None = None
    connected_by: str | None = None
    connected_by_name: str | None = None
    owner: str | None = None
    authenticated_at: datetime | None = None
    external_account: str | None = None
    scopes: tuple[str, ...] | None = None
    wanted_scopes: tuple[str, ...] | None = None
    expires_at: datetime | None = None
    extra: Mapping[str, str] | None = None
    removed_at: datetime | None = None
    look_at: datetime | None = None
    ending_until: datetime | None = None
    ending_by: str | None = None
    taken_until: datetime | None = None
    taken_by: str | None = None

    @property
    def owned_by(self) -> str | None:
        """The user whom it belongs to: who connected it first; reconnects do not change that."""
        return self.owner or self.connected_by


@dataclass(frozen=True)
class Running:
    """A launched attempt, and the account connector that it is for, once that is known."""

    attempt: str
    connector_key: str
    account_connector_id: int | None
    wanted_connection: int | None

    def is_for(self, account_connector_id: int) -> bool:
        """Whether it is for the account connector of this id."""
        return account_connector_id in {self.account_connector_id, self.wanted_connection}


@dataclass(frozen=True)
class Change:
    """A changed row, and the type of its event; None for a change without one. ``by``: who ended it."""

    row: Stored
    event: str | None = None
    by: str | None = None


def as_json(row: Stored) -> dict[str, Any]:
    """A connection as JSON for servers and pages; see ``docs/connections.md``."""
    scopes = list(row.scopes) if row.scopes is not None else None
    missing = missing_scopes(row.wanted_scopes or (), scopes) if scopes is not None else []
    return {
        "id": str(row.account_connector_id),
        "connector": row.connector_key,
        "name": row.connector_name,
        "state": row.state.value,
        "external_account": row.external_account,
        "connected_at": moment(row.connected_at),
        "connected_by": row.connected_by,
        "connected_by_name": row.connected_by_name,
        "scopes": scopes,
        "missing_scopes": missing,
        "expires_at": moment(row.expires_at),
        "reason": row.reason,
        "extra": dict(row.extra) if row.extra else None,
        "sequence": row.sequence,
    }


def event_data(change: Change) -> dict[str, Any]:
    """The data of the change's event: the connection, its account, and who ended it."""
    data = as_json(change.row) | {"account": change.row.account_id, "reason_text": None}
    if change.event == "connection.disconnected":
        data["disconnected_by"] = change.by
    return data


def moment(at: datetime | None) -> str | None:
    """A time in ISO 8601."""
    return at.isoformat() if at else None
