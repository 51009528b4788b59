"""The embedded service's database: its transactions, and its schema."""

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
    """Transactions that write, and ones that only read. Brings its schema up to date."""

    def __init__(self, url: str, threads: int = MOST_CONNECTIONS) -> None:
        self.engine = open_database(url, threads)
        self._writer = writing(self.engine)
        self._reads: dict[Select[Any], Read] = {}
        self._readiness = Readiness(lambda: SCHEMA.fault(self.engine))
        SCHEMA.upgrade(self.engine)
        self.clock = StoreClock(self.engine)

    def read(self, statement: Select[Any]) -> Read:
        """The question of a statement that is made once, for whoever needs no transaction around it."""
        if (known := self._reads.get(statement)) is None:
            known = self._reads[statement] = Read(self.engine, statement)
        return known

    def fault(self) -> str | None:
        """What keeps it from being used now: ``database`` or ``schema``; None when nothing does."""
        return self._readiness.lacking()

    def close(self) -> None:
        """Give its connections back."""
        self.engine.dispose()

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction: committed at the end of the block, rolled back when it raises."""
        return self._writer.begin()

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that changes nothing, and waits for no writer."""
        return self.engine.begin()


def insert_unless_there(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    """Add a row, unless one with its key is there: also when two transactions add it at the same moment."""
    _adding(table, tuple(row)).run(connection, **row)


@cache
def _adding(table: Table, names: tuple[str, ...]) -> Within:
    """For each table and set of columns, of which there are a few."""

    def statement(dialect: str) -> Insert:
        adding = postgresql.insert if dialect == "postgresql" else sqlite.insert
        values: dict[str, Any] = {name: bindparam(name) for name in names}
        return adding(table).values(values).on_conflict_do_nothing().inline()

    return Within(statement)


def adding(table: Table, *names: str) -> Within:
    """The INSERT of a row with these columns; the others have no value."""
    return Within(insert(table).values({name: bindparam(name) for name in names}).inline())
