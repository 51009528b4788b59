"""One engine; on SQLite, writers queue instead of failing."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Table, create_engine, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

MIGRATIONS: Final = Path(__file__).parent / "migrations"
WAIT_SECONDS: Final = 10.0
READS: Final = {"embedded_reads": True}
PRAGMAS: Final = (
    "PRAGMA busy_timeout=10000",
    "PRAGMA journal_mode=WAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA synchronous=NORMAL",
)
STARTING: Final = 0x656D6265
"""PostgreSQL's advisory lock that programs hold, one after the other, while they prepare the database."""

KEPT_CONNECTIONS, MOST_CONNECTIONS = 10, 20
"""Of a process, however many threads it has: each needs one for milliseconds at a time."""


class Database:
    """Transactions that write (the default), and ones that only read. Brings its schema up to date."""

    def __init__(self, url: str, threads: int = MOST_CONNECTIONS) -> None:
        kept = min(threads, KEPT_CONNECTIONS)
        self._engine = create_engine(
            url,
            pool_pre_ping=not url.startswith("sqlite"),
            pool_size=kept,
            max_overflow=max(min(threads, MOST_CONNECTIONS) - kept, 2),
            # Errors of the database must not carry the values of a row into a log.
            hide_parameters=True,
        )
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _prepare_sqlite)
            queue = WriterQueue()
            event.listen(self._engine, "begin", queue.begin)
            event.listen(self._engine, "checkin", queue.leave)
        self._upgrade()

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    def fault(self) -> str | None:
        """What keeps it from being used now: ``database`` or ``schema``; None when nothing does."""
        return _fault(self._engine)

    def _upgrade(self) -> None:
        config = _config()
        with self._engine.begin() as connection:
            if self.dialect == "postgresql":
                # Any number of processes may start at once: the first one does it, the others wait.
                connection.execute(select(func.pg_advisory_xact_lock(STARTING)))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction: committed at the end of the block, rolled back when it raises."""
        return self._engine.begin()

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that changes nothing, and waits for no writer."""
        engine: Engine = self._engine.execution_options(**READS)
        return engine.begin()


def insert_unless_there(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    """Add a row, unless one with its key is there: also when two transactions add it at the same moment."""
    adding = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(adding(table).values(row).on_conflict_do_nothing())


def fault_of(url: str) -> str | None:
    """The same of a database that this program does not use yet. No file is made."""
    engine = create_engine(url, hide_parameters=True)
    if engine.dialect.name == "sqlite" and not Path(engine.url.database or ".").exists():
        return "schema"
    try:
        return _fault(engine)
    finally:
        engine.dispose()


def _fault(engine: Engine) -> str | None:
    try:
        with engine.connect() as connection:
            stands = MigrationContext.configure(connection).get_current_heads()
    except SQLAlchemyError:
        return "database"
    known, head = _revisions()
    # A revision that is not known here is a newer program's, which is being rolled out.
    return None if stands and all(name == head or name not in known for name in stands) else "schema"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


@cache
def _revisions() -> tuple[frozenset[str], str | None]:
    scripts = ScriptDirectory.from_config(_config())
    return frozenset(each.revision for each in scripts.walk_revisions()), scripts.get_current_head()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(pragma)


class WriterQueue:
    """Where the threads of one process wait for SQLite's one writer, in the order in which they came.

    SQLite itself lets each try again after a while, and under load one may have no luck for the whole of its
    ten seconds. Writers of other processes are met by that only.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def begin(self, connection: Connection) -> None:
        """A transaction begins; a writing one when it is its turn."""
        if connection.get_execution_options().get("embedded_reads"):
            connection.exec_driver_sql("BEGIN")
            return
        # IMMEDIATE: one that reads first and writes later would be refused when another got between.
        connection.info["writes"] = self._turn.acquire(timeout=WAIT_SECONDS)
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def leave(self, _connection: object, record: Any) -> None:
        """The transaction has ended, however it did: its connection is given back."""
        if record.info.pop("writes", False):
            self._turn.release()
