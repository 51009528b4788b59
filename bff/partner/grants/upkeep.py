"""Maintains grants in the background: refreshes them before they expire, and detects those that have ended.

Each account connector has a time of its next check. A run takes those that are due, up to a number and a
time limit. Each is claimed by one process. A token valid for one hour costs its third party about one request
an hour; a token that does not expire, or an API key, about one a day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Row, bindparam, select, update

from bff.partner import clock
from bff.partner.account_connectors import state, store
from bff.partner.account_connectors.credentials import unseal
from bff.partner.context import Embedded
from bff.partner.crypto import CannotOpen
from bff.partner.grants import key_upkeep, liveness, refresh, refresh_failures
from bff.partner.grants.turns import Turns, fairly
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Credentials
from bff.partner.storage import tables
from bff.serving.logs import about

CLAIM: Final = timedelta(minutes=5)
"""How long a claim excludes other processes if its own process has died."""
_BY_ID: Final = select(tables.account_connector).where(tables.account_connector.c.id == bindparam("wanted"))

log = structlog.get_logger("hitchpost.embedded")


def look_after(
    service: Embedded,
    limit: int,
    *,
    seconds: float = 15.0,
    slow: set[int] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """Check at most ``limit`` due grants, for about ``seconds`` or until ``stop`` returns True.

    Returns how many were checked. Several run concurrently, and third parties take turns, so that a slow one
    does not delay the others. ``slow``: the connectors of those that were slow, kept for the next run.
    """
    due_at = tables.account_connector.c.next_refresh_at
    due = fairly(tables.account_connector, due_at <= clock.now(), due_at, limit)
    with service.database.reading() as connection:
        rows = connection.execute(due).all()
    turns = Turns(rows, set() if slow is None else slow, seconds=seconds, stop=stop)
    return turns.run(lambda row: _claim_and_check(service, row.id))


def _claim_and_check(service: Embedded, account_connector_id: int) -> bool:
    try:
        if not _claim(service, account_connector_id):
            return False
        with service.database.reading() as connection:
            row = connection.execute(_BY_ID, {"wanted": account_connector_id}).one_or_none()
        if row is not None:
            _check(service, row)
    except Exception as error:  # noqa: BLE001  # one failing grant must not stop the others
        fields = {"account_connector": account_connector_id, **about(error)}
        log.error("a grant cannot be looked after", **fields)  # noqa: TRY400  # a trace would hold the tokens
    return True


def _claim(service: Embedded, account_connector_id: int) -> bool:
    table, now = tables.account_connector, clock.now()
    due = (table.c.id == account_connector_id) & (table.c.next_refresh_at <= now)
    with service.database.writing() as connection:
        claim = update(table).where(due).values(next_refresh_at=now + CLAIM)
        return connection.execute(claim).rowcount == 1


def _check(service: Embedded, row: Row[Any]) -> None:
    item = service.catalogue.by_id(row.connector_id)
    if item is None or (row.credentials is None and not _has_key(row, item)):
        _schedule(service, row, None)
        return
    try:
        if row.credentials is None:
            key_upkeep.look_at(service, row, item)
        else:
            _check_grant(service, row, item)
    except CannotOpen:
        # The encryption key may be restored later.
        _schedule(service, row, item)


def _check_grant(service: Embedded, row: Row[Any], item: CatalogueConnector) -> None:
    """Refresh or check a grant. Raises ``CannotOpen``."""
    stored = unseal(service.vault, row.credentials, store.sealed_in(row, "credentials"))
    if not state.is_renewable(item, stored):
        _check_unrenewable(service, row, item, stored)
    elif row.grant_reason is None and not state.is_due_ahead(item, stored):
        _schedule(service, row, item, stored)
    elif (lease := refresh.take_lease(service, row, stored)) is not None:
        refresh.refresh(service, row, stored, lease)


def _has_key(row: Row[Any], item: CatalogueConnector) -> bool:
    """Whether typed credentials are in use, or were until the third party rejected them."""
    return key_upkeep.is_tried(item) and (row.authenticated or row.grant_reason is not None)


def _check_unrenewable(
    service: Embedded, row: Row[Any], item: CatalogueConnector, stored: Credentials
) -> None:
    if liveness.has_expired(service, stored):
        refresh_failures.end(service, row, stored, "expired")
    elif not liveness.is_alive(service, item, stored):
        refresh_failures.end(service, row, stored, "revoked")
    else:
        _schedule(service, row, item, stored)


def _schedule(
    service: Embedded, row: Row[Any], item: CatalogueConnector | None, stored: Credentials | None = None
) -> None:
    next_check = clock.now() + state.DAILY if item is not None else None
    if stored is not None:
        next_check = state.next_look(item, stored)
    with service.database.writing() as connection:
        refresh_failures.put(connection, row.id, next_refresh_at=next_check)
