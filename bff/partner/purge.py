"""What is over is forgotten: a few rows at a time, so that no sign-in waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Column, ColumnElement, Table, delete, func, select, update

from bff.partner.grants import held as grants
from bff.partner.sign_in import stale
from bff.partner.storage import tables
from bff.partner.storage.database import Database

TOKENS_KEPT: Final = timedelta(days=1)
"""So long after its end a sign-in token is still told from an unknown one."""
SIGN_INS_KEPT: Final = timedelta(days=30)
REVOCATIONS_KEPT: Final = timedelta(days=30)
"""After that nobody tries any more: few third parties keep a grant that is not used for so long."""
HELD_KEPT: Final = grants.HELD_FOR + timedelta(hours=1)
"""``revocation.throw_away_unchosen`` comes first; this is for what it cannot open."""


def purge(database: Database, now: datetime, limit: int) -> dict[str, int]:
    """Forget at most ``limit`` rows of each kind, each kind in a transaction; how many went, by its name."""
    _record_expired_flows(database, now, limit)
    gone = {table.name: _delete(database, table, *over, limit) for table, over in _ended(now).items()}
    return {**gone, "held": _drop_held(database, now, limit)}


def _ended(now: datetime) -> Mapping[Table, tuple[Column[datetime], ColumnElement[bool]]]:
    """What is over in each table, and by which time its rows come one after the other."""
    ends: Mapping[Table, tuple[Column[datetime], datetime]] = {
        tables.sign_in_token: (tables.sign_in_token.c.expires_at, now - TOKENS_KEPT),
        tables.api_token: (tables.api_token.c.expires_at, now),
        tables.flow: (tables.flow.c.expires_at, now),
        # What nobody completed in time holds a third party's answer.
        tables.completion: (tables.completion.c.expires_at, now),
        tables.rate_limit: (tables.rate_limit.c.ends_at, now),
        tables.pending_revocation: (tables.pending_revocation.c.created_at, now - REVOCATIONS_KEPT),
    }
    over = {table: (at, at < until) for table, (at, until) in ends.items()}
    return {**over, tables.sign_in: (tables.sign_in.c.at, _old_sign_ins(now))}


def _record_expired_flows(database: Database, now: datetime, limit: int) -> None:
    """The user never came back from the third party in time: whoever waits for the sign-in is told."""
    table = tables.flow
    late = select(table).where(table.c.expires_at < now, table.c.used_at.is_(None))
    with database.writing() as connection:
        for flow in connection.execute(late.order_by(table.c.expires_at).limit(limit)).all():
            stale.expire(connection, flow)


def _old_sign_ins(now: datetime) -> ColumnElement[bool]:
    # The newest of each account connector stays: it says how the present state came about.
    sign_in, other = tables.sign_in, tables.sign_in.alias()
    newest = select(func.max(other.c.id)).where(
        other.c.account_connector_id == sign_in.c.account_connector_id
    )
    return (sign_in.c.at < now - SIGN_INS_KEPT) & (sign_in.c.id < newest.scalar_subquery())


def _delete(
    database: Database, table: Table, at: Column[datetime], over: ColumnElement[bool], limit: int
) -> int:
    (key,) = table.primary_key.columns
    # Several processes purge at once: on PostgreSQL each takes rows that no other has taken. In their order,
    # and so by the index of ``at``: else PostgreSQL may read the table from its beginning to find some few.
    some = select(key).where(over).order_by(at).limit(limit).with_for_update(skip_locked=True)
    with database.writing() as connection:
        return connection.execute(delete(table).where(key.in_(some))).rowcount


def _drop_held(database: Database, now: datetime, limit: int) -> int:
    sign_in = tables.sign_in.c
    late = sign_in.held.is_not(None) & (sign_in.at < now - HELD_KEPT)
    some = select(sign_in.id).where(late).order_by(sign_in.at).limit(limit).with_for_update(skip_locked=True)
    with database.writing() as connection:
        dropped = update(tables.sign_in).where(sign_in.id.in_(some)).values(held=None)
        return connection.execute(dropped).rowcount
