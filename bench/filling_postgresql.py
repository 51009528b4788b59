"""PostgreSQL's tables of attempts without their indexes, for as long as a block lasts; and its server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, Engine, text

from bff.serving.postgresql import UNLIMITED, patience

TABLES: Final = "('attempts'::regclass, 'attempt_steps'::regclass)"
FILLING: Final = (
    *("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"),
    *("wal_level=minimal", "max_wal_senders=0", "max_wal_size=8GB", "maintenance_work_mem=1GB"),
)
"""The server's settings while it is filled. Measured is with Debian's own."""


@contextlib.contextmanager
def bare_postgresql(engine: Engine) -> Iterator[Connection]:
    """A connection that writes into tables without indexes; at the block's end they are built, by sorting."""
    with patience(None), engine.begin() as connection:
        connection.execute(text(UNLIMITED))
        keys = connection.execute(
            text(
                "SELECT conname AS name, conrelid::regclass::text AS on_table,"
                " pg_get_constraintdef(oid) AS rule FROM pg_constraint"
                f" WHERE conrelid IN {TABLES} AND contype IN ('p', 'u', 'f') ORDER BY contype = 'f'"
            )
        ).all()
        indexes = connection.execute(
            text(
                "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS made FROM pg_index"
                f" WHERE indrelid IN {TABLES} AND indexrelid NOT IN (SELECT conindid FROM pg_constraint)"
            )
        ).all()
        for key in reversed(keys):
            connection.execute(text(f"ALTER TABLE {key.on_table} DROP CONSTRAINT {key.name}"))
        for index in indexes:
            connection.execute(text(f"DROP INDEX {index.name}"))
        # Emptied in the same transaction: what is written then needs no log.
        connection.execute(text("TRUNCATE attempts, attempt_steps"))
        yield connection
        for key in keys:
            connection.execute(text(f"ALTER TABLE {key.on_table} ADD CONSTRAINT {key.name} {key.rule}"))
        for index in indexes:
            connection.execute(text(index.made))
    with patience(None), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM (FREEZE, ANALYZE) attempts, attempt_steps"))
