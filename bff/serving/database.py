"""One engine for a program, set up so that writers queue instead of failing; and its schema."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary, ref

from sqlalchemy import (
    Connection,
    Engine,
    Pool,
    column,
    create_engine,
    event,
    func,
    inspect,
    make_url,
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
from bff.serving.sqlite_writers import WAIT_SECONDS, WriterQueue, code_of, patiently

WRITES: Final = {"hitchpost_writes": True}
PRAGMAS: Final = (
    # Short: SQLite waits inside the driver, where no other request of a gevent worker goes on. Whoever writes
    # waits outside (``patiently``).
    "PRAGMA busy_timeout=50",
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
        pool_timeout=WAIT_SECONDS,
        # Errors of the database must not carry the values of a row into a log.
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


def missing_file(url: str) -> Path | None:
    """Where a SQLite database would be made anew; None where there is one, or a server."""
    named = make_url(url)
    if named.get_backend_name() != "sqlite" or not named.database or named.database == ":memory:":
        return None
    path = Path(named.database).absolute()
    return None if path.exists() else path


def is_away(error: BaseException) -> bool:
    """Whether an error says that the database cannot be used now: it is gone, full, locked or too slow."""
    if code_of(error) == sqlite3.SQLITE_ERROR:
        return False  # The statement is wrong, or the schema.
    if isinstance(error, OperationalError | InterfaceError | InternalError | SQLAlchemyTimeout):
        return True
    return type(error) is DatabaseError or (isinstance(error, DBAPIError) and error.connection_invalidated)


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
    """A program's tables, by its migrations. ``lock`` is PostgreSQL's name for its start: any number.

    ``mark`` is a table of its first migration that no other program has; ``setting`` the variable with the
    database's URL, and ``upgrade_by`` the command that makes or upgrades it, for what operators are told.
    """

    def __init__(self, migrations: Path, *, lock: int, mark: str, setting: str, upgrade_by: str) -> None:
        self._migrations = migrations
        self._lock = lock
        self._mark = mark
        self._setting = setting
        self._upgrade_by = upgrade_by

    def upgrade(self, engine: Engine) -> None:
        """Bring it up to date. Any number of processes may start at once: the first one does it.

        Raises ``UnusableDatabase`` for the database of another program, and changes nothing there.
        """
        with engine.connect() as connection:
            if self._is_foreign(connection):
                raise UnusableDatabase(self._foreign())
            if self._serves(connection):
                return
        # Few starts need it, and it would take 10 MB and an eighth of the time of each.
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(self._migrations))
        with _patience(engine), writing(engine).begin() as connection:
            self.one_at_a_time(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def one_at_a_time(self, connection: Connection) -> None:
        """Until this transaction ends, nobody else is past this; of SQLite's writers there is one anyway."""
        if connection.dialect.name == "postgresql":
            from bff.serving.postgresql import UNLIMITED  # noqa: PLC0415  # an extra

            # A large table takes its time, and so does another process that is at it already.
            connection.exec_driver_sql(UNLIMITED)
            connection.execute(select(func.pg_advisory_xact_lock(self._lock)))

    def fault(self, engine: Engine) -> str | None:
        """What keeps a database from being used now: ``database`` or ``schema``; None when nothing does."""
        try:
            with engine.connect() as connection:
                if self._is_foreign(connection) or not self._serves(connection):
                    return "schema"
            with writing(engine).begin() as connection:
                # It shows that a change would be kept: no full disk, no lock, no replica.
                connection.execute(update(STANDS_AT).values(version_num=STANDS_AT.c.version_num))
        except SQLAlchemyError:
            return "database"
        return None

    def open(self, url: str) -> Engine:
        """The database of a command that works on what is in it. No file is made.

        Raises ``UnusableDatabase``, also where there is none, and ``SQLAlchemyError``.
        """
        if (path := missing_file(url)) is not None:
            raise UnusableDatabase(
                f"{self._setting}: there is no database at {path}; is it the file that the program uses?"
                f" {self._upgrade_by} makes a new one"
            )
        engine = open_database(url)
        self.upgrade(engine)
        return engine

    def look_at(self, url: str) -> tuple[list[str], list[str]]:
        """Faults of a database that this program does not use yet, and warnings. No file is made."""
        if missing_file(url) is not None:
            return [], [self._old()]
        engine = open_database(url)
        try:
            with engine.connect() as connection:
                if self._is_foreign(connection):
                    return [self._foreign()], []
            fault = self.fault(engine)
        except SQLAlchemyError:
            fault = "database"
        finally:
            engine.dispose()
        if fault == "database":
            said = "the database does not answer, or takes no change; is it running, is the URL right?"
            return [f"{self._setting}: {said}"], []
        return [], [self._old()] if fault else []

    def _old(self) -> str:
        return f"{self._setting}: its schema is missing or old; run: {self._upgrade_by}"

    def _foreign(self) -> str:
        return (
            f"{self._setting}: this is the database of another program; each program has one of its own,"
            " and nothing was changed in this one"
        )

    def _is_foreign(self, connection: Connection) -> bool:
        """Whether migrations of another program made it: both count theirs from 1."""
        there = inspect(connection)
        if there.has_table(self._mark) or not there.has_table(STANDS_AT.name):
            return False
        return connection.execute(select(STANDS_AT)).first() is not None

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
    ends = time.monotonic() + WAIT_SECONDS
    for pragma in PRAGMAS:
        patiently(partial(connection.execute, pragma), ends)


def _patience(engine: Engine) -> AbstractContextManager[None]:
    if engine.dialect.name != "postgresql":
        return nullcontext()
    from bff.serving.postgresql import patience  # noqa: PLC0415  # an extra

    return patience(None)


_queues: Final[WeakKeyDictionary[Pool, WriterQueue]] = WeakKeyDictionary()
