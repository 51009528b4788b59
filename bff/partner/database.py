"""One engine; on SQLite, writers queue instead of failing."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event

MIGRATIONS: Final = Path(__file__).parent / "migrations"
READS: Final = {"embedded_reads": True}


class Database:
    """Transactions that write (the default), and ones that only read. Brings its schema up to date."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        self._upgrade()

    def _upgrade(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self._engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction: committed at the end of the block, rolled back when it raises."""
        return self._engine.begin()

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that changes nothing, and waits for no writer."""
        engine: Engine = self._engine.execution_options(**READS)
        return engine.begin()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "busy_timeout=10000", "foreign_keys=ON", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE: a transaction that reads first and writes later would be refused when another got between.
    reads = connection.get_execution_options().get("embedded_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
