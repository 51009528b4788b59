"""Maintains grants in the background: refreshes them before they expire, and detects those that have ended.

Each account connector has a time of its next check. A run takes those that are due, up to a number and a
time limit. Each is claimed by one process. A token valid for one hour costs its third party about one request
an hour; a token that does not expire, or an API key, about one a day.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Row, select, update

from bff.partner import clock
from bff.partner.account_connectors import state, store
from bff.partner.account_connectors.credentials import unseal
from bff.partner.context import Embedded
from bff.partner.crypto import CannotOpen
from bff.partner.grants import key_upkeep, liveness, refresh, refresh_failures
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Credentials
from bff.partner.storage import tables
from bff.serving.logs import about

AT_A_TIME: Final = 4
CLAIM: Final = timedelta(minutes=5)
"""How long a claim excludes other processes if its own process has died."""

log = structlog.get_logger("hitchpost.embedded")


def look_after(service: Embedded, limit: int, *, seconds: float = 15.0) -> int:
    """Check at most ``limit`` due grants, for about ``seconds``. Returns how many were checked.

    Several run concurrently, so that one slow third party does not delay the others.
    """
    table, deadline = tables.account_connector, time.monotonic() + seconds
    due = table.c.next_refresh_at <= clock.now()
    with service.database.reading() as connection:
        wanted = select(table).where(due).order_by(table.c.next_refresh_at).limit(limit)
        rows = list(connection.execute(wanted))
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return sum(pool.map(lambda row: _claim_and_check(service, row, deadline), rows))


def _claim_and_check(service: Embedded, row: Row[Any], deadline: float) -> bool:
    if time.monotonic() >= deadline or not _claim(service, row):
        return False
    try:
        _check(service, row)
    except Exception as error:  # noqa: BLE001  # one failing grant must not stop the others
        log.error("a grant cannot be looked after", account_connector=row.id, **about(error))  # noqa: TRY400
    return True


def _claim(service: Embedded, row: Row[Any]) -> bool:
    table = tables.account_connector
    condition = (table.c.id == row.id) & (table.c.next_refresh_at == row.next_refresh_at)
    with service.database.writing() as connection:
        claim = update(table).where(condition).values(next_refresh_at=clock.now() + CLAIM)
        return connection.execute(claim).rowcount == 1


def _check(service: Embedded, row: Row[Any]) -> None:
    item = service.catalogue.by_id(row.connector_id)
    if item is None or (row.credentials is None and not _has_key(row, item)):
        _schedule(service, row, None)
        return
    try:
        if row.credentials is None:
            key_upkeep.look_at(service, row, item)
            return
        stored = unseal(service.vault, row.credentials, store.sealed_in(row, "credentials"))
    except CannotOpen:
        # The encryption key may be restored later.
        _schedule(service, row, item)
        return
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
    if stored.expires_at is not None and stored.expires_at <= clock.now():
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
