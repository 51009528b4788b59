"""SQLite's checkpoints, made beside the requests instead of inside one of them."""

from __future__ import annotations

import os
from contextlib import closing
from functools import cached_property
from typing import Any, Final

import structlog
from sqlalchemy import Engine, event

from bff.serving.blocking import aside
from bff.serving.database import turn_to_write
from bff.serving.periodic_thread import Rounds

EVERY_SECONDS: Final = 1.0
LONG_PAGES: Final = 8000
"""The log may grow to so many pages (32 MB) before it is made to begin anew."""

LAST_RESORT: Final = "PRAGMA wal_autocheckpoint=16000"
"""From so many pages on whoever commits makes one after all."""

log = structlog.get_logger("hitchpost.database")


class Checkpoints(Rounds):
    """Every second what was committed moves from SQLite's log into the database file. Not on PostgreSQL.

    Left to itself, SQLite does it within somebody's commit: with a large database that takes a tenth of a
    second, for which everybody waits who wants to write. While this runs, that is the last resort. Nothing is
    less durable: the log is synchronized before it is copied, and sooner than before.
    """

    def __init__(self, engine: Engine, every: float = EVERY_SECONDS, long_pages: int = LONG_PAGES) -> None:
        super().__init__("checkpoint", every, log)
        self._engine = engine
        self._long = long_pages

    def anew(self) -> Checkpoints:
        """The same for another process: a thread can be started once."""
        return Checkpoints(self._engine, self._every, self._long)

    def run(self) -> None:
        """One after the other until it is stopped."""
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "checkout", _leave_it_to_us)
            super().run()

    def once(self) -> None:
        """One checkpoint; with nothing new in the log it costs a look at it."""
        if self._copy() <= self._long:
            return
        # The log begins anew only when a writer finds all of it copied and synchronized, which never is so
        # where somebody always writes. So the last pages are copied while nobody does: few, as the rest has
        # been, and little is left to synchronize (a twentieth of the time for which writers wait otherwise).
        aside(os.fsync, self._file)
        self._copy()
        aside(os.fsync, self._file)
        with turn_to_write(self._engine):
            self._copy()

    @cached_property
    def _file(self) -> int:
        """The database's file. Never closed: that would take all of SQLite's locks on it away (fcntl(2))."""
        _, _, path = self._ask("PRAGMA database_list")
        return os.open(path, os.O_RDONLY)

    def _copy(self) -> int:
        """Copy what nobody reads in its older form any more; so many pages the log has. Nobody waits."""
        _, pages, _ = self._ask("PRAGMA wal_checkpoint(PASSIVE)")
        return int(pages)

    def _ask(self, pragma: str) -> Any:
        with closing(self._engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            return aside(lambda: cursor.execute(pragma).fetchone())


def _leave_it_to_us(connection: Any, record: Any, _proxy: object) -> None:
    if "checkpoints" not in record.info:
        connection.execute(LAST_RESORT)
        record.info["checkpoints"] = True
