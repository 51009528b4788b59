"""One engine for a program, set up so that writers queue instead of failing; and its schema."""

from __future__ import annotations

import sqlite3
import time
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

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
    return engine


def is_away(error: BaseException) -> bool:
    """Whether an error says that the database cannot be used now: it is gone, full, locked or too slow."""
    if code_of(error) == sqlite3.SQLITE_ERROR:
        return False  # The statement is wrong, or the schema.
    if isinstance(error, OperationalError | InterfaceError | InternalError | SQLAlchemyTimeout):
        return True
    return type(error) is DatabaseError or (isinstance(error, DBAPIError) and error.connection_invalidated)


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
                if not self._serves(connection):
                    return "schema"
            with writing(engine).begin() as connection:
                # It shows that a change would be kept: no full disk, no lock, no replica.
                connection.execute(update(STANDS_AT).values(version_num=STANDS_AT.c.version_num))
        except SQLAlchemyError:
            return "database"
        return None

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
    ends = time.monotonic() + WAIT_SECONDS
    for pragma in PRAGMAS:
        patiently(partial(connection.execute, pragma), ends)


def _patience(engine: Engine) -> AbstractContextManager[None]:
    if engine.dialect.name != "postgresql":
        return nullcontext()
    from bff.serving.postgresql import patience  # noqa: PLC0415  # an extra

    return patience(None)


_queues: Final[WeakKeyDictionary[Pool, WriterQueue]] = WeakKeyDictionary()
