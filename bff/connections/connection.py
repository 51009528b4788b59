"""A connection: one account connector of an account, as it is known here, and how it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How a connection, or a connector of an account, stands.

    ``pending`` and ``unknown`` are said of what is looked at now; they are never stored.
    """

    DISCONNECTED = "disconnected"
    PENDING = "pending"
    CONNECTED = "connected"
    NEEDS_RECONNECT = "needs_reconnect"
    UNKNOWN = "unknown"


STANDING = frozenset({State.CONNECTED, State.NEEDS_RECONNECT})
"""There is something to lose: a grant, or what only a new sign-in brings back."""


@dataclass(frozen=True)
class Stored:
    """What is known of a connection. Times are in UTC.

    ``number`` is the account connector's id at the partner service. ``connected_by`` is the host's user id,
    None where nobody knows; ``owner`` is likewise who connected it first. ``authenticated_at`` is the partner
    service's own time of the latest sign-in. ``sequence`` counts what was told, ``version`` every change: a
    change names the version that it saw. ``look_at``: it is looked at unasked then. ``ending_until``: until
    then somebody (``ending_by``) is about to end it. ``taken_until``: until then a sign-in to a further
    account has it for itself, that of the attempt ``taken_by``, unless that has ended.
    """

    product: str
    account_id: str
    number: int
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
        """Whose it is: who connected it first, and reconnects change nothing of that. None: nobody knows."""
        return self.owner or self.connected_by


@dataclass(frozen=True)
class Running:
    """A sign-in that a user is at: for which account connector, once that is known."""

    attempt: str
    connector_key: str
    number: int | None
    wanted: int | None

    def is_for(self, number: int) -> bool:
        """Whether it is for the account connector of this id."""
        return number in {self.number, self.wanted}


@dataclass(frozen=True)
class Change:
    """What a row becomes, and the event that tells of it: None for what nobody needs to hear."""

    row: Stored
    event: str | None = None
    by: str | None = None


def told(row: Stored) -> dict[str, Any]:
    """A connection in the form that servers and pages are told; see ``docs/connections.md``."""
    scopes = list(row.scopes) if row.scopes is not None else None
    missing = [scope for scope in row.wanted_scopes or () if scopes is not None and scope not in scopes]
    return {
        "id": str(row.number),
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
    """What an event of this change tells: the connection, whose it is, and who ended it."""
    data = told(change.row) | {"account": change.row.account_id, "reason_text": None}
    if change.event == "connection.disconnected":
        data["disconnected_by"] = change.by
    return data


def moment(at: datetime | None) -> str | None:
    """A time as JSON has it."""
    return at.isoformat() if at else None
