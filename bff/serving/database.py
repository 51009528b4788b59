"""One engine for a program, set up so that writers queue instead of failing; and its schema."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast
from weakref import WeakKeyDictionary, ref

from sqlalchemy import Connection, Engine, Pool, column, create_engine, event, func, inspect, select, table
from sqlalchemy.exc import OperationalError, SQLAlchemyError

WAIT_SECONDS: Final = 10.0
WRITES: Final = {"hitchpost_writes": True}
PRAGMAS: Final = (
    "PRAGMA busy_timeout=10000",
    "PRAGMA journal_mode=WAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA synchronous=NORMAL",
)
STANDS_AT: Final = table("alembic_version", column("version_num"))
"""Where alembic notes which migrations a database has."""
KEPT_CONNECTIONS, MOST_CONNECTIONS = 10, 20
"""Of a process, however many threads it has: each needs one for milliseconds at a time."""


def open_database(url: str, threads: int = MOST_CONNECTIONS) -> Engine:
    """An engine for ``url`` (SQLAlchemy form). SQLite gets WAL, a busy timeout and foreign keys."""
    kept = min(threads, KEPT_CONNECTIONS)
    engine = create_engine(
        url,
        pool_pre_ping=not url.startswith("sqlite"),
        pool_size=kept,
        max_overflow=max(min(threads, MOST_CONNECTIONS) - kept, 2),
        # Errors of the database must not carry the values of a row into a log.
        hide_parameters=True,
    )
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        queue = _queues[engine.pool] = WriterQueue()
        event.listen(engine, "begin", queue.begin)
        event.listen(engine, "checkin", queue.leave)
    _survive_forks(engine)
    return engine


def _survive_forks(engine: Engine) -> None:
    """Let a process that was forked open connections of its own: two cannot share one.

    A host may build its app before it forks. The parent's are left open, for it goes on with them.
    """
    known = ref(engine)

    def begin_anew() -> None:
        if (ours := known()) is None:
            return
        queue = _queues.get(ours.pool)
        ours.dispose(close=False)
        if queue is not None:
            _queues[ours.pool] = queue

    os.register_at_fork(after_in_child=begin_anew)


def writing(engine: Engine) -> Engine:
    """The same engine for a transaction that writes.

    On SQLite it begins IMMEDIATE: a transaction that reads first and writes later would be refused at once
    when another writer got in between, whatever the busy timeout says.
    """
    return engine.execution_options(**WRITES)


def turn_to_write(engine: Engine) -> AbstractContextManager[None]:
    """For one statement that is a transaction by itself: its turn among this process's writers."""
    queue = _queues.get(engine.pool)
    return queue.turn() if queue else nullcontext()


class Schema:
    """A program's tables, by its migrations. ``lock`` is PostgreSQL's name for its start: any number."""

    def __init__(self, migrations: Path, *, lock: int) -> None:
        self._migrations = migrations
        self._lock = lock

    def upgrade(self, engine: Engine) -> None:
        """Bring it up to date. Any number of processes may start at once: the first one does it."""
        with engine.connect() as connection:
            if self._serves(connection):
                return
        # Few starts need it, and it would take 10 MB and an eighth of the time of each.
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(self._migrations))
        with writing(engine).begin() as connection:
            self.one_at_a_time(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def one_at_a_time(self, connection: Connection) -> None:
        """Until this transaction ends, nobody else is past this; of SQLite's writers there is one anyway."""
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(self._lock)))

    def fault(self, engine: Engine) -> str | None:
        """What keeps a database from being used now: ``database`` or ``schema``; None when nothing does."""
        try:
            with engine.connect() as connection:
                return None if self._serves(connection) else "schema"
        except SQLAlchemyError:
            return "database"

    def fault_of(self, url: str) -> str | None:
        """The same of a database that this program does not use yet. No file is made."""
        engine = create_engine(url, hide_parameters=True)
        if engine.dialect.name == "sqlite" and not Path(engine.url.database or ".").exists():
            return "schema"
        try:
            return self.fault(engine)
        finally:
            engine.dispose()

    def _serves(self, connection: Connection) -> bool:
        if not inspect(connection).has_table(STANDS_AT.name):
            return False
        stands = connection.execute(select(STANDS_AT)).scalars().all()
        # A revision that is not known here is a newer program's, being rolled out: its schema serves too.
        return bool(stands) and not set(stands) & set(self.revisions[:-1])

    @cached_property
    def revisions(self) -> list[str]:
        """The migrations in their order, the newest last: their files' names begin with them."""
        return sorted(path.name.partition("_")[0] for path in self._migrations.glob("versions/[0-9]*_*.py"))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction handling is switched off: it would begin too late and never IMMEDIATE.
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
        if not connection.get_execution_options().get("hitchpost_writes"):
            _say(connection, "BEGIN")
            return
        connection.info["writes"] = self._turn.acquire(timeout=WAIT_SECONDS)
        _say(connection, "BEGIN IMMEDIATE")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One statement's turn; after ten seconds it tries its luck with SQLite itself."""
        mine = self._turn.acquire(timeout=WAIT_SECONDS)
        try:
            yield
        finally:
            if mine:
                self._turn.release()

    def leave(self, _connection: object, record: Any) -> None:
        """The transaction has ended, however it did: its connection is given back."""
        if record.info.pop("writes", False):
            self._turn.release()


_queues: Final[WeakKeyDictionary[Pool, WriterQueue]] = WeakKeyDictionary()


def _say(connection: Connection, statement: str) -> None:
    """To the driver itself: by SQLAlchemy's way a BEGIN costs as much as a read."""
    driver = cast(sqlite3.Connection, connection.connection.driver_connection)
    try:
        driver.execute(statement)
    except sqlite3.OperationalError as error:
        raise OperationalError(statement, None, error) from error
