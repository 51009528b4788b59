"""The database of the embedded service: engine, transactions and schema."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Insert, Select, Table, bindparam, insert
from sqlalchemy.dialects import postgresql, sqlite

from bff.serving.database import MOST_CONNECTIONS, Schema, open_database, writing
from bff.serving.readiness import Readiness
from bff.serving.statements import Read, Within
from bff.serving.store_clock import StoreClock

MIGRATIONS: Final = Path(__file__).parent / "migrations"
SCHEMA: Final = Schema(
    MIGRATIONS,
    lock=0x656D6265,
    mark="account_connector",
    setting="HITCHPOST_EMBEDDED_DATABASE_URL",
    upgrade_by="hitchpost partner db upgrade",
)


class Database:
    """Opens the database, upgrades its schema, and provides read and write transactions."""

    def __init__(self, url: str, threads: int = MOST_CONNECTIONS) -> None:
        self.engine = open_database(url, threads)
        self._writer = writing(self.engine)
        self._reads: dict[Select[Any], Read] = {}
        self._readiness = Readiness(lambda: SCHEMA.fault(self.engine))
        SCHEMA.start(self.engine)
        self.clock = StoreClock(self.engine)

    def read(self, statement: Select[Any]) -> Read:
        """Prepare a SELECT to run outside a transaction. Cached by statement: pass a module constant."""
        if (prepared := self._reads.get(statement)) is None:
            prepared = self._reads[statement] = Read(self.engine, statement)
        return prepared

    def fault(self) -> str | None:
        """Why the database cannot be used now: ``database`` or ``schema``. None if it can."""
        return self._readiness.lacking()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def writing(self) -> AbstractContextManager[Connection]:
        """Begin a write transaction: commits at the end of the block, rolls back if the block raises."""
        return self._writer.begin()

    def reading(self) -> AbstractContextManager[Connection]:
        """Begin a read-only transaction. It does not wait for writers."""
        return self.engine.begin()


def insert_unless_there(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    """Insert a row unless its key exists (ON CONFLICT DO NOTHING). Safe in concurrent transactions."""
    _adding(table, tuple(row)).run(connection, **row)


@cache
def _adding(table: Table, names: tuple[str, ...]) -> Within:
    """Cache the statement by table and column names. There are few combinations."""

    def statement(dialect: str) -> Insert:
        adding = postgresql.insert if dialect == "postgresql" else sqlite.insert
        values: dict[str, Any] = {name: bindparam(name) for name in names}
        return adding(table).values(values).on_conflict_do_nothing().inline()

    return Within(statement)


def adding(table: Table, *names: str) -> Within:
    """Prepare an INSERT of these columns. The others stay NULL or get their defaults."""
    return Within(insert(table).values({name: bindparam(name) for name in names}).inline())
