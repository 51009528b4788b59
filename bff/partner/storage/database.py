"""The embedded service's database: its transactions, and its schema."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from bff.serving.database import MOST_CONNECTIONS, Schema, open_database, writing
from bff.serving.readiness import Readiness
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
        self._readiness = Readiness(lambda: SCHEMA.fault(self.engine))
        SCHEMA.upgrade(self.engine)
        self.clock = StoreClock(self.engine)

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
    adding = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(adding(table).values(row).on_conflict_do_nothing())
