"""What a refresh that failed means for the connection: it ends, is tried again, or is refused for now."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Row, select, update

from bff.partner import clock
from bff.partner.account_connectors import store
from bff.partner.account_connectors.credentials import unseal
from bff.partner.account_connectors.state import Reason
from bff.partner.audit import audit
from bff.partner.context import Embedded
from bff.partner.grants import noting
from bff.partner.providers import refusals
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Credentials
from bff.partner.providers.provider import ProviderFailed
from bff.partner.storage import tables

FIRST_COOL_DOWN, LONGEST_COOL_DOWN = timedelta(seconds=5), timedelta(minutes=5)
MOST_REFUSALS: Final = 2
"""So many definite refusals in a row, under a name that nobody here knows, are a grant that is refused."""
MOST_OF_OURS: Final = 6
"""The same for refusals of the client itself, which an operator may be mending: some five minutes of them."""
REFUSED_WAITS: Final = timedelta(hours=1)
"""So often a refused grant is tried again: whatever it was, the third party may take it back."""

log = structlog.get_logger("hitchpost.embedded")


def note(
    service: Embedded, row: Row[Any], kept: Credentials, lease: datetime, failure: ProviderFailed
) -> None:
    """Record a refresh that failed, unless somebody has signed in or disconnected meanwhile."""
    item, answer = service.catalogue.by_id(row.connector_id), failure.said
    description = (answer and answer.description) or ""
    told = {"account_connector": row.id, "error": failure.error, "description": description}
    log.warning("refresh failed", **told)
    audit("refresh failed", account=row.account_id, account_connector=row.id, error=failure.error)
    definite = answer is not None and refusals.is_definite(answer.status, failure.error)
    if item is not None and definite and refusals.is_dead(item, failure.error, description):
        expired = refusals.has_expired(failure.error, description)
        end(service, row, kept, "expired" if expired else "revoked")
        return
    with service.database.writing() as connection:
        current = locked(connection, row.id)
        if current is None or current.refresh_lease_ends != lease or not _is(service, current, kept):
            return
        failures = current.refresh_failures + 1
        if definite and failures >= _patience(item, failure.error, kept):
            _refuse(connection, current, failures)
        else:
            _cool_down(connection, current, failures)


def end(service: Embedded, row: Row[Any], kept: Credentials, reason: Reason) -> None:
    """The grant has ended at its third party: nothing will ever come of it but a new sign-in.

    Revoked all the same: of a token that was spent the third party may keep the successor.
    """
    with service.database.writing() as connection:
        current = locked(connection, row.id)
        if current is None or not _is(service, current, kept):
            return
        noting.throw_away(service, connection, noting.owner_of(current), kept)
        nothing = {"credentials": None, "grant_sha256": None, "refresh_lease_ends": None}
        values = {"authenticated": False, "grant_reason": reason, "next_refresh_at": None, **nothing}
        put(connection, row.id, **values)
    audit("grant ended", account=row.account_id, account_connector=row.id, reason=reason)


def locked(connection: Connection, account_connector_id: int) -> Row[Any] | None:
    """The account connector as it is now. SQLite's writers are alone anyway."""
    table = tables.account_connector
    wanted = select(table).where(table.c.id == account_connector_id)
    return connection.execute(wanted.with_for_update()).one_or_none()


def put(connection: Connection, account_connector_id: int, **values: Any) -> None:
    """Write into its row."""
    table = tables.account_connector
    connection.execute(update(table).where(table.c.id == account_connector_id).values(values))


def _is(service: Embedded, row: Row[Any], kept: Credentials) -> bool:
    if row.credentials is None:
        return False
    return unseal(service.vault, row.credentials, store.sealed_in(row, "credentials")) == kept


def _patience(item: CatalogueConnector | None, error: str, kept: Credentials) -> int:
    """How many refusals in a row are enough. Of an own app the user is the operator."""
    own_app = item is not None and kept.client is not None and kept.client.id != item.client_id
    return MOST_OF_OURS if refusals.is_ours(error) and not own_app else MOST_REFUSALS


def _refuse(connection: Connection, row: Row[Any], failures: int) -> None:
    """It needs the user now, and is kept: should the third party take it again, it connects by itself."""
    later = clock.now() + REFUSED_WAITS
    values = {"refresh_failures": failures, "refresh_not_before": later, "next_refresh_at": later}
    reason = row.grant_reason or "refused"
    put(connection, row.id, authenticated=False, grant_reason=reason, refresh_lease_ends=None, **values)
    if row.grant_reason is None:
        audit("grant refused", account=row.account_id, account_connector=row.id)


def _cool_down(connection: Connection, row: Row[Any], failures: int) -> None:
    longest = min(FIRST_COOL_DOWN * 2 ** min(failures - 1, 16), LONGEST_COOL_DOWN)
    cool = longest * random.uniform(0.5, 1.0)  # noqa: S311  # nosec B311  # spreads callers
    if row.grant_reason is not None:
        cool = REFUSED_WAITS
    again = clock.now() + cool
    values = {"refresh_failures": failures, "refresh_not_before": again, "next_refresh_at": again}
    put(connection, row.id, refresh_lease_ends=None, **values)
