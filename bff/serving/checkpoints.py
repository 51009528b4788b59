"""SQLite's checkpoints, made beside the requests instead of inside one of them."""

from __future__ import annotations

import os
import threading
from typing import Any, Final

import structlog
from sqlalchemy import Engine, event

from bff.serving.database import turn_to_write, writes_of

EVERY_SECONDS: Final = 1.0
LONG_PAGES: Final = 8000
"""The log may grow to so many pages (32 MB) before it is made to begin anew."""

LAST_RESORT: Final = "PRAGMA wal_autocheckpoint=16000"
"""From so many pages on whoever commits makes one after all."""

log = structlog.get_logger("hitchpost.database")


class Checkpoints(threading.Thread):
    """Every second what was committed moves from SQLite's log into the database file. Not on PostgreSQL.

    Left to itself, SQLite does it within somebody's commit: with a large database that takes a tenth of a
    second, for which everybody waits who wants to write. While this runs, that is the last resort. Nothing is
    less durable: the log is synchronized before it is copied, and sooner than before.
    """

    def __init__(self, engine: Engine, every: float = EVERY_SECONDS, long_pages: int = LONG_PAGES) -> None:
        super().__init__(name="checkpoints", daemon=True)
        self._engine = engine
        self._every = every
        self._long = long_pages
        self._over = threading.Event()

    def run(self) -> None:
        """Until it is stopped; one that fails is told, and the next one tries again."""
        if self._engine.dialect.name != "sqlite":
            return
        event.listen(self._engine, "checkout", _leave_it_to_us)
        file, done = self._file(), 0
        while not self._over.wait(self._every):
            if (writes := writes_of(self._engine)) == done:
                continue
            try:
                self._checkpoint(file)
            except Exception:
                log.exception("checkpoint failed")
            else:
                done = writes

    def stop(self) -> None:
        """No further one."""
        self._over.set()

    def _checkpoint(self, file: int) -> None:
        if self._copy() <= self._long:
            return
        # The log begins anew only when a writer finds all of it copied and synchronized, which never is so
        # where somebody always writes. So the last pages are copied while nobody does: few, as the rest has
        # been, and little is left to synchronize (a twentieth of the time for which writers wait otherwise).
        os.fsync(file)
        self._copy()
        os.fsync(file)
        with turn_to_write(self._engine):
            self._copy()

    def _copy(self) -> int:
        """Copy what nobody reads in its older form any more; so many pages the log has. Nobody waits."""
        _, pages, _ = self._ask("PRAGMA wal_checkpoint(PASSIVE)")
        return int(pages)

    def _file(self) -> int:
        """The database's file. Never closed: that would take all of SQLite's locks on it away (fcntl(2))."""
        _, _, path = self._ask("PRAGMA database_list")
        return os.open(path, os.O_RDONLY)

    def _ask(self, pragma: str) -> Any:
        connection = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            found = cursor.execute(pragma).fetchone()
            cursor.close()
            return found
        finally:
            connection.close()


def _leave_it_to_us(connection: Any, record: Any, _proxy: object) -> None:
    if "checkpoints" not in record.info:
        connection.execute(LAST_RESORT)
        record.info["checkpoints"] = True
