"""Waiting for SQLite's one writer: outside the driver, in the order in which its writers came."""

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
"""So long may whoever wants to write wait for SQLite's lock, and anybody for a connection of the pool."""
SHORTEST_REST, LONGEST_REST = 0.001, 0.05


def patiently(work: Callable[[], T], ends: float) -> T:
    """Do ``work``, and again after small rests while SQLite is locked, until ``ends`` (monotonic)."""
    rest = SHORTEST_REST
    while True:
        try:
            return work()
        except (sqlite3.OperationalError, OperationalError) as error:
            if time.monotonic() >= ends or not is_locked(error):
                raise
        time.sleep(rest)  # house-allow: sleep: SQLite wakes nobody
        rest = min(rest * 2, LONGEST_REST)


def is_locked(error: BaseException) -> bool:
    """Whether somebody else has what SQLite gives to one at a time."""
    return code_of(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def code_of(error: BaseException) -> int | None:
    """SQLite's primary result code, the lowest byte (https://sqlite.org/rescode.html); None without one."""
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


class WriterQueue:
    """Where the threads of one process wait for SQLite's one writer, in the order in which they came.

    SQLite itself lets each try again after a while, and under load one may have no luck for the whole of its
    time. Writers of other processes are met by that only.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def begin(self, connection: Connection) -> None:
        """A transaction begins; a writing one when it is its turn."""
        if not connection.get_execution_options().get("hitchpost_writes"):
            _say(connection, "BEGIN")
            return
        ends = time.monotonic() + WAIT_SECONDS
        connection.info["writes"] = self._turn.acquire(timeout=WAIT_SECONDS)
        patiently(lambda: _say(connection, "BEGIN IMMEDIATE"), ends)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One statement's turn; after a while it tries its luck with SQLite itself."""
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


def _say(connection: Connection, statement: str) -> None:
    """To the driver itself: by SQLAlchemy's way a BEGIN costs as much as a read."""
    driver = cast(sqlite3.Connection, connection.connection.driver_connection)
    try:
        driver.execute(statement)
    except sqlite3.OperationalError as error:
        raise OperationalError(statement, None, error) from error
