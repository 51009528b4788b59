"""Deletes expired rows in small batches, so that no sign-in has to wait for a lock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Column, ColumnElement, Table, delete, func, select, update
from sqlalchemy.exc import DatabaseError

from bff.partner.grants import held as grants
from bff.partner.sign_in import stale
from bff.partner.storage import tables
from bff.partner.storage.database import Database
from bff.serving.logs import about
from bff.serving.readable_rows import raise_outage

TOKENS_KEPT: Final = timedelta(days=1)
"""How long an expired sign-in token can still be distinguished from an unknown one."""
SIGN_INS_KEPT: Final = timedelta(days=30)
"""How long the outcome of a sign-in is stored. The newest of each account connector is never deleted."""
REVOCATIONS_KEPT: Final = timedelta(days=30)
"""How long a revocation is retried. Few third parties keep an unused grant for longer."""
HELD_KEPT: Final = grants.HELD_FOR + timedelta(hours=1)
"""How long held credentials are stored if ``noting.throw_away_unchosen`` cannot decrypt them."""

log = structlog.get_logger("hitchpost.embedded")


def purge(database: Database, now: datetime, limit: int) -> dict[str, int]:
    """Delete at most ``limit`` rows of each table, in one transaction each. Return the counts by table."""
    _record_expired_flows(database, now, limit)
    deleted = {table.name: _delete(database, table, *over, limit) for table, over in _ended(now).items()}
    return {**deleted, "held": _drop_held(database, now, limit)}


def _ended(now: datetime) -> Mapping[Table, tuple[Column[datetime], ColumnElement[bool]]]:
    """For each table: the column to order by, and the condition for expired rows."""
    ends: Mapping[Table, tuple[Column[datetime], datetime]] = {
        tables.sign_in_token: (tables.sign_in_token.c.expires_at, now - TOKENS_KEPT),
        tables.api_token: (tables.api_token.c.expires_at, now),
        tables.flow: (tables.flow.c.expires_at, now),
        # An expired completion still holds the third party's response.
        tables.completion: (tables.completion.c.expires_at, now),
        tables.rate_limit: (tables.rate_limit.c.ends_at, now),
        tables.pending_revocation: (tables.pending_revocation.c.created_at, now - REVOCATIONS_KEPT),
    }
    over = {table: (at, at < until) for table, (at, until) in ends.items()}
    return {**over, tables.sign_in: (tables.sign_in.c.at, _old_sign_ins(now))}


def _record_expired_flows(database: Database, now: datetime, limit: int) -> None:
    """Record as expired the flows whose user did not return from the third party in time."""
    table = tables.flow
    late = table.c.expires_at < now, table.c.used_at.is_(None)
    wanted = select(table.c.token_sha256, table.c.state_sha256).where(*late)
    with database.writing() as connection:
        flows: list[Any] = list(connection.execute(wanted.order_by(table.c.expires_at).limit(limit)))
        for flow in flows:
            stale.expire(connection, flow)


def _old_sign_ins(now: datetime) -> ColumnElement[bool]:
    # Keep the newest of each account connector: it explains the current state.
    sign_in, other = tables.sign_in, tables.sign_in.alias()
    newest = select(func.max(other.c.id)).where(
        other.c.account_connector_id == sign_in.c.account_connector_id
    )
    return (sign_in.c.at < now - SIGN_INS_KEPT) & (sign_in.c.id < newest.scalar_subquery())


def _delete(
    database: Database, table: Table, at: Column[datetime], over: ColumnElement[bool], limit: int
) -> int:
    (key,) = table.primary_key.columns
    # Several processes purge at once: SKIP LOCKED gives each of them other rows on PostgreSQL. Ordering by
    # ``at`` makes PostgreSQL use its index; otherwise it may scan the whole table for a few rows.
    batch = select(key).where(over).order_by(at).limit(limit).with_for_update(skip_locked=True)
    try:
        with database.writing() as connection:
            return connection.execute(delete(table).where(key.in_(batch))).rowcount
    except DatabaseError as error:
        # A damaged table must not keep the others from being purged.
        raise_outage(error)
        log.error("a table cannot be purged", what=table.name, **about(error))  # noqa: TRY400
        return 0


def _drop_held(database: Database, now: datetime, limit: int) -> int:
    sign_in = tables.sign_in.c
    late = sign_in.held.is_not(None) & (sign_in.at < now - HELD_KEPT)
    batch = select(sign_in.id).where(late).order_by(sign_in.at).limit(limit).with_for_update(skip_locked=True)
    with database.writing() as connection:
        dropped = update(tables.sign_in).where(sign_in.id.in_(batch)).values(held=None)
        return connection.execute(dropped).rowcount
