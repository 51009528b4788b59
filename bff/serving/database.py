"""Opens a program's database, with queued writers on SQLite, and manages its schema."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary, ref

import structlog
from sqlalchemy import (
    Connection,
    Engine,
    Pool,
    column,
    create_engine,
    event,
    func,
    inspect,
    select,
    table,
    update,
)
from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeout

from bff.serving.database_trouble import UnusableDatabase
from bff.serving.sqlite_file import access_fault, missing_file
from bff.serving.sqlite_writers import WAIT_SECONDS, WriterQueue, code_of, patiently

WRITES: Final = {"hitchpost_writes": True}
PRAGMAS: Final = (
    # Milliseconds. Short, as a wait inside the driver blocks all requests of a gevent worker. Writers wait in
    # ``patiently`` instead.
    "PRAGMA busy_timeout=50",
    "PRAGMA journal_mode=WAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA synchronous=NORMAL",
)
STANDS_AT: Final = table("alembic_version", column("version_num"))
"""Alembic's table with the current revision."""
KEPT_CONNECTIONS, MOST_CONNECTIONS = 10, 20
"""Connections in the pool of a process, and maximum with overflow. Each use takes milliseconds."""


def open_database(url: str, threads: int = MOST_CONNECTIONS) -> Engine:
    """Create an engine for a SQLAlchemy URL. SQLite gets WAL, a busy timeout and foreign keys."""
    kept = min(threads, KEPT_CONNECTIONS)
    engine = create_engine(
        url,
        pool_pre_ping=not url.startswith("sqlite"),
        pool_size=kept,
        max_overflow=max(min(threads, MOST_CONNECTIONS) - kept, 2),
        pool_timeout=WAIT_SECONDS,
        # SQLite caches pages for each connection, and drops them when another one has written.
        pool_use_lifo=url.startswith("sqlite"),
        # Error messages must not contain values of rows, as they are logged.
        hide_parameters=True,
    )
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        queue = _queues[engine.pool] = WriterQueue()
        event.listen(engine, "begin", queue.begin)
        event.listen(engine, "checkin", queue.leave)
    elif engine.dialect.driver == "psycopg":
        from bff.serving.postgresql import connect  # noqa: PLC0415  # an extra

        event.listen(engine, "do_connect", lambda _dialect, _record, given, named: connect(*given, **named))
    _survive_forks(engine)
    return engine


def is_away(error: BaseException) -> bool:
    """Whether an error means that the database is unavailable: not reachable, full, locked or too slow."""
    if code_of(error) == sqlite3.SQLITE_ERROR:
        return False  # A faulty statement or schema.
    if isinstance(error, OperationalError | InterfaceError | InternalError | SQLAlchemyTimeout):
        return True
    return type(error) is DatabaseError or (isinstance(error, DBAPIError) and error.connection_invalidated)


def _survive_forks(engine: Engine) -> None:
    """Make a forked process open its own connections, as processes cannot share one.

    A host may create its app before it forks. The parent's connections are not closed, as it still uses them.
    """
    engine_ref = ref(engine)

    def reset_pool() -> None:
        if (forked := engine_ref()) is None:
            return
        queue = _queues.get(forked.pool)
        forked.dispose(close=False)
        if queue is not None:
            _queues[forked.pool] = queue

    os.register_at_fork(after_in_child=reset_pool)


def writing(engine: Engine) -> Engine:
    """The engine for transactions that write.

    On SQLite they begin with BEGIN IMMEDIATE. A transaction that reads first and writes later would fail at
    once, regardless of the busy timeout, if another connection has written in between.
    """
    return engine.execution_options(**WRITES)


def turn_to_write(engine: Engine) -> AbstractContextManager[None]:
    """Wait for the write lock of this process, for one statement in autocommit mode. Only on SQLite."""
    queue = _queues.get(engine.pool)
    return queue.turn() if queue else nullcontext()


class Schema:
    """The schema of a program, as its migrations create it.

    ``lock``: the number of PostgreSQL's advisory lock for upgrades. ``mark``: a table of the first migration
    that no other program has. For error messages, ``setting`` is the variable with the database's URL, and
    ``upgrade_by`` the command that creates or upgrades the schema.
    """

    def __init__(self, migrations: Path, *, lock: int, mark: str, setting: str, upgrade_by: str) -> None:
        self._migrations = migrations
        self._lock = lock
        self._mark = mark
        self._setting = setting
        self._upgrade_by = upgrade_by

    def start(self, engine: Engine) -> None:
        """Upgrade when a program starts, and log a new database: its URL may name the wrong place."""
        if self.upgrade(engine):
            structlog.get_logger("hitchpost.server").info(
                "made a new database",
                what=engine.url.database,
                advice=f"if the program had one before, look at {self._setting}",
            )

    def upgrade(self, engine: Engine) -> bool:
        """Upgrade to the newest revision. Concurrent calls are safe: the first one does it.

        Returns whether it was empty before.

        Raises ``UnusableDatabase`` for another program's database or another encoding; it is not changed.
        """
        with engine.connect() as connection:
            if (fault := self._unusable(connection)) is not None:
                raise UnusableDatabase([fault])
            if self._serves(connection):
                return False
        # Imported only if needed: alembic takes 10 MB, and an eighth of the start's time.
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(self._migrations))
        with _patience(engine), writing(engine).begin() as connection:
            self.one_at_a_time(connection)
            is_new = not inspect(connection).has_table(STANDS_AT.name)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        return is_new

    def one_at_a_time(self, connection: Connection) -> None:
        """Hold an advisory lock until the transaction ends. SQLite needs none, as it has one writer."""
        if connection.dialect.name == "postgresql":
            from bff.serving.postgresql import UNLIMITED  # noqa: PLC0415  # an extra

            # No timeout, as large tables and a concurrent upgrade may take long.
            connection.exec_driver_sql(UNLIMITED)
            connection.execute(select(func.pg_advisory_xact_lock(self._lock)))

    def fault(self, engine: Engine) -> str | None:
        """Why a database cannot be used: ``database`` or ``schema``; None if it can."""
        try:
            with engine.connect() as connection:
                if self._is_foreign(connection) or not self._serves(connection):
                    return "schema"
            with writing(engine).begin() as connection:
                # A write that changes nothing. Fails on a full disk, a lock or a read-only replica.
                connection.execute(update(STANDS_AT).values(version_num=STANDS_AT.c.version_num))
        except SQLAlchemyError:
            return "database"
        return None

    def open(self, url: str) -> Engine:
        """Open and upgrade an existing database, for a command. Creates no SQLite file.

        Raises ``UnusableDatabase``, also if there is no file, and ``SQLAlchemyError``.
        """
        if (path := missing_file(url)) is not None:
            fault = (
                f"{self._setting}: there is no database at {path}; is it the file that the program uses?"
                f" {self._upgrade_by} makes a new one"
            )
            raise UnusableDatabase([fault])
        engine = open_database(url)
        self.upgrade(engine)
        return engine

    def look_at(self, url: str) -> tuple[list[str], list[str]]:
        """Check a database before its first use; return faults and warnings. Creates no SQLite file."""
        if (unusable := access_fault(url)) is not None:
            return [f"{self._setting}: {unusable}"], []
        if missing_file(url) is not None:
            return [], [self._old()]
        engine = open_database(url)
        try:
            with engine.connect() as connection:
                if (unusable := self._unusable(connection)) is not None:
                    return [unusable], []
            fault = self.fault(engine)
        except SQLAlchemyError:
            fault = "database"
        finally:
            engine.dispose()
        if fault == "database":
            detail = "the database does not answer, or takes no change; is it running, is the URL right?"
            return [f"{self._setting}: {detail}"], []
        return [], [self._old()] if fault else []

    def _old(self) -> str:
        return f"{self._setting}: its schema is missing or old; run: {self._upgrade_by}"

    def _unusable(self, connection: Connection) -> str | None:
        """Why a retry cannot help; None if the database can be used."""
        if self._is_foreign(connection):
            return (
                f"{self._setting}: this is the database of another program; each program has one of its own,"
                " and nothing was changed in this one"
            )
        if connection.dialect.name != "postgresql":
            return None
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
        if encoding == "UTF8":
            return None
        return (
            f"{self._setting}: the database's encoding is {encoding}; make one in UTF8:"
            " createdb --template template0 --encoding UTF8 --locale C.UTF-8"
        )

    def _is_foreign(self, connection: Connection) -> bool:
        """Whether the schema is another program's. Revision numbers do not tell, as both start at 1."""
        tables = inspect(connection)
        if tables.has_table(self._mark) or not tables.has_table(STANDS_AT.name):
            return False
        return connection.execute(select(STANDS_AT)).first() is not None

    def _serves(self, connection: Connection) -> bool:
        if not inspect(connection).has_table(STANDS_AT.name):
            return False
        current = connection.execute(select(STANDS_AT)).scalars().all()
        # An unknown revision is that of a newer version during a rollout, whose schema is compatible.
        return bool(current) and not set(current) & set(self.revisions[:-1])

    @cached_property
    def revisions(self) -> list[str]:
        """The revisions in order, the newest last, from the names of the migration files."""
        return sorted(path.name.partition("_")[0] for path in self._migrations.glob("versions/[0-9]*_*.py"))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Disables the driver's transaction handling, which begins late and never with IMMEDIATE.
    connection.isolation_level = None
    ends = time.monotonic() + WAIT_SECONDS
    for pragma in PRAGMAS:
        patiently(partial(connection.execute, pragma), ends)


def _patience(engine: Engine) -> AbstractContextManager[None]:
    if engine.dialect.name != "postgresql":
        return nullcontext()
    from bff.serving.postgresql import patience  # noqa: PLC0415  # an extra

    return patience(None)


_queues: Final[WeakKeyDictionary[Pool, WriterQueue]] = WeakKeyDictionary()
