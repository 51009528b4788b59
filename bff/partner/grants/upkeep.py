"""Grants that are looked after although nobody asks: refreshed ahead of time, and found to have ended.

Each account connector has a time at which it is looked at next. A round takes those that are due, a bounded
number for a bounded time, each by a claim that one process gets. So an hour's token costs its third party
about one call an hour, one without an end about one a day, and so does an API key.
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
from bff.partner.grants import key_upkeep, refresh, refresh_failures
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Credentials
from bff.partner.storage import tables
from bff.serving.logs import about

AT_A_TIME: Final = 4
CLAIM: Final = timedelta(minutes=5)
"""Whoever has claimed a grant and died leaves it for so long."""

log = structlog.get_logger("hitchpost.embedded")


def look_after(service: Embedded, limit: int, *, seconds: float = 15.0) -> int:
    """Look at the grants that are due, at most ``limit`` and for about ``seconds``; how many were.

    Several at a time, so that a third party which does not answer keeps none of another waiting.
    """
    table, ends = tables.account_connector, time.monotonic() + seconds
    due = table.c.next_refresh_at <= clock.now()
    with service.database.reading() as connection:
        wanted = select(table).where(due).order_by(table.c.next_refresh_at).limit(limit)
        rows = list(connection.execute(wanted))
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return sum(pool.map(lambda row: _take(service, row, ends), rows))


def _take(service: Embedded, row: Row[Any], ends: float) -> bool:
    if time.monotonic() >= ends or not _claim(service, row):
        return False
    try:
        _look_at(service, row)
    except Exception as error:  # noqa: BLE001  # one grant that cannot be looked at keeps no other waiting
        log.error("a grant cannot be looked after", account_connector=row.id, **about(error))  # noqa: TRY400
    return True


def _claim(service: Embedded, row: Row[Any]) -> bool:
    table = tables.account_connector
    ours = (table.c.id == row.id) & (table.c.next_refresh_at == row.next_refresh_at)
    with service.database.writing() as connection:
        later = update(table).where(ours).values(next_refresh_at=clock.now() + CLAIM)
        return connection.execute(later).rowcount == 1


def _look_at(service: Embedded, row: Row[Any]) -> None:
    item = service.catalogue.by_id(row.connector_id)
    if item is None or (row.credentials is None and not _has_key(row, item)):
        _look_again(service, row, None)
        return
    try:
        if row.credentials is None:
            key_upkeep.look_at(service, row, item)
            return
        kept = unseal(service.vault, row.credentials, store.sealed_in(row, "credentials"))
    except CannotOpen:
        # Its key may come back.
        _look_again(service, row, item)
        return
    if not state.is_renewable(item, kept):
        _look_at_unrenewable(service, row, item, kept)
    elif row.grant_reason is None and not _is_near(kept):
        _look_again(service, row, item, kept)
    elif (lease := refresh.take_lease(service, row, kept)) is not None:
        refresh.refresh(service, row, kept, lease)


def _has_key(row: Row[Any], item: CatalogueConnector) -> bool:
    """Whether what a user typed is in use, or was until the third party refused it."""
    return key_upkeep.is_tried(item) and (row.authenticated or row.grant_reason is not None)


def _look_at_unrenewable(
    service: Embedded, row: Row[Any], item: CatalogueConnector, kept: Credentials
) -> None:
    if kept.expires_at is not None and kept.expires_at <= clock.now():
        refresh_failures.end(service, row, kept, "expired")
    elif not refresh.is_alive(service, item, kept):
        refresh_failures.end(service, row, kept, "revoked")
    else:
        _look_again(service, row, item, kept)


def _is_near(kept: Credentials) -> bool:
    """Whether a token is to be refreshed now. One without an end is, once a day."""
    now = clock.now()
    if kept.expires_at is None:
        return kept.obtained_at is None or kept.obtained_at < now - state.DAILY * (1 - 2 * state.SPREAD)
    return kept.expires_at < now + 2 * state.AHEAD


def _look_again(
    service: Embedded, row: Row[Any], item: CatalogueConnector | None, kept: Credentials | None = None
) -> None:
    again = clock.now() + state.DAILY if item is not None else None
    if kept is not None:
        again = state.next_look(item, kept)
    with service.database.writing() as connection:
        refresh_failures.put(connection, row.id, next_refresh_at=again)
