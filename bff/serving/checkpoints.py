"""Runs SQLite's WAL checkpoints in a thread, instead of within the commits of requests."""

from __future__ import annotations

import os
from contextlib import closing
from functools import cached_property
from typing import Any, Final

import structlog
from sqlalchemy import Engine, event

from bff.serving.blocking import in_thread_pool
from bff.serving.database import turn_to_write
from bff.serving.periodic_thread import Rounds

EVERY_SECONDS: Final = 1.0
LONG_PAGES: Final = 8000
"""Pages (32 MB) in the WAL from which on it is restarted."""

LAST_RESORT: Final = "PRAGMA wal_autocheckpoint=40000"
"""SQLite's automatic checkpoint within a commit, at five times ``LONG_PAGES`` (160 MB).

At twice, a purge beside many new attempts reached it between two rounds, and requests waited 80 ms.
"""

log = structlog.get_logger("hitchpost.database")


class Checkpoints(Rounds):
    """Copies committed pages from SQLite's WAL to the database file every second. Does nothing on PostgreSQL.

    By default, SQLite does so within a commit, which blocks all writers for a tenth of a second on a large
    database. Durability does not change: SQLite synchronizes the WAL before it copies it.
    """

    def __init__(self, engine: Engine, every: float = EVERY_SECONDS, long_pages: int = LONG_PAGES) -> None:
        super().__init__("checkpoint", every, log)
        self._engine = engine
        self._long = long_pages

    def anew(self) -> Checkpoints:
        """A copy for another process, as a thread can be started only once."""
        return Checkpoints(self._engine, self._every, self._long)

    def run(self) -> None:
        """Run checkpoints until stopped."""
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "checkout", _leave_it_to_us)
            super().run()

    def once(self) -> None:
        """Run one checkpoint, and restart a long WAL."""
        if self._copy() <= self._long:
            return
        # SQLite restarts the WAL only when all of it is copied and synchronized, which never happens under
        # continuous writes. So the last pages are copied while this process holds its write lock. Few are
        # left, and little to synchronize, which blocks writers for a twentieth of the time of a full
        # checkpoint.
        in_thread_pool(os.fsync, self._file)
        self._copy()
        in_thread_pool(os.fsync, self._file)
        with turn_to_write(self._engine):
            self._copy()

    @cached_property
    def _file(self) -> int:
        """A descriptor of the database file. Never closed: that would release SQLite's locks (fcntl(2))."""
        _, _, path = self._execute("PRAGMA database_list")
        return os.open(path, os.O_RDONLY)

    def _copy(self) -> int:
        """Copy the pages that no reader needs in an older version; return the WAL's pages. Does not block."""
        _, pages, _ = self._execute("PRAGMA wal_checkpoint(PASSIVE)")
        return int(pages)

    def _execute(self, pragma: str) -> Any:
        with closing(self._engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            return in_thread_pool(lambda: cursor.execute(pragma).fetchone())


def _leave_it_to_us(connection: Any, record: Any, _proxy: object) -> None:
    if "checkpoints" not in record.info:
        connection.execute(LAST_RESORT)
        record.info["checkpoints"] = True
