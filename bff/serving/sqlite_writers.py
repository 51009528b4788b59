"""A queue for SQLite's write lock, as SQLite allows one writer: in Python, first come, first served."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

T = TypeVar("T")

WAIT_SECONDS: Final = 5.0
"""Timeout of a wait for SQLite's write lock, and of a wait for a connection of the pool."""
SHORTEST_REST, LONGEST_REST = 0.001, 0.05


def patiently(work: Callable[[], T], ends: float) -> T:
    """Call ``work``, and retry it while SQLite is locked, until ``ends`` (monotonic seconds)."""
    rest = SHORTEST_REST
    while True:
        try:
            return work()
        except (sqlite3.OperationalError, OperationalError) as error:
            if time.monotonic() >= ends or not is_locked(error):
                raise
        time.sleep(rest)  # house-allow: sleep: SQLite does not notify when its lock is released
        rest = min(rest * 2, LONGEST_REST)


def is_locked(error: BaseException) -> bool:
    """Whether an error says that another connection holds SQLite's lock."""
    return code_of(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def code_of(error: BaseException) -> int | None:
    """SQLite's primary result code (https://sqlite.org/rescode.html); None for other errors."""
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


class WriterQueue:
    """A lock for the writing threads of one process.

    SQLite's own busy handler only retries after a while, so that under load a writer may starve until its
    timeout. Writers of other processes are coordinated by that handler only.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def begin(self, connection: Connection) -> None:
        """Begin a transaction. A writing one (``database.writing``) waits for the lock first."""
        if not connection.get_execution_options().get("hitchpost_writes"):
            _execute(connection, "BEGIN")
            return
        ends = time.monotonic() + WAIT_SECONDS
        connection.info["writes"] = self._turn.acquire(timeout=WAIT_SECONDS)
        patiently(lambda: _execute(connection, "BEGIN IMMEDIATE"), ends)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the lock for one statement. After ``WAIT_SECONDS``, continue without it."""
        acquired = self._turn.acquire(timeout=WAIT_SECONDS)
        try:
            yield
        finally:
            if acquired:
                self._turn.release()

    def leave(self, _connection: object, record: Any) -> None:
        """Release the lock when a connection returns to the pool, after a commit or a rollback."""
        if record.info.pop("writes", False):
            self._turn.release()


def _execute(connection: Connection, statement: str) -> None:
    """Execute with the driver directly. By SQLAlchemy, a BEGIN would take as long as a read."""
    driver = cast(sqlite3.Connection, connection.connection.driver_connection)
    try:
        driver.execute(statement)
    except sqlite3.OperationalError as error:
        raise OperationalError(statement, None, error) from error
