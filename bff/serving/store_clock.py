"""The present as the database has it: one clock for all machines that share a database."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Engine, text

NOTICED: Final = timedelta(seconds=0.5)
"""A smaller difference is none: asking takes time, too."""
TOLERATED: Final = timedelta(seconds=5)
"""A larger difference of a machine's clock is told to operators."""
SLOWEST: Final = timedelta(seconds=2)
"""What took longer to answer says too little about the present."""
ASK: Final = {
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())",
    "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400.0",
}
BOOT: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

log = structlog.get_logger("hitchpost.clock")


class StoreClock:
    """Called, it answers the present in UTC: this machine's clock, put right by the database's.

    SQLite's is this machine's own. A step of that is not followed by what deletes (``cautious``).
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._wrong_by = timedelta(0)
        self.follow()
        self._began_at, self._began = self(), time.clock_gettime(BOOT)

    def __call__(self) -> datetime:
        """The present; nothing is asked."""
        return datetime.now(UTC) - self._wrong_by

    def follow(self) -> None:
        """Ask the database what time it is. Raises ``SQLAlchemyError``."""
        with self._engine.connect() as connection:
            before = datetime.now(UTC)
            seconds = connection.execute(text(ASK[self._engine.dialect.name])).scalar_one()
            after = datetime.now(UTC)
        if not timedelta(0) <= after - before <= SLOWEST:
            return
        found = before + (after - before) / 2 - datetime.fromtimestamp(float(seconds), UTC)
        wrong_by = found if abs(found) > NOTICED else timedelta(0)
        if abs(wrong_by) > TOLERATED and abs(wrong_by - self._wrong_by) > TOLERATED:
            log.warning("clock differs from the database's", seconds=round(wrong_by.total_seconds(), 1))
        self._wrong_by = wrong_by

    def cautious(self) -> datetime:
        """The present, asked for just now, but never later than this process has lived since its start.

        For deleting: a clock that jumps ahead, the database's too, makes nothing old. Raises as ``follow``.
        """
        self.follow()
        lived = timedelta(seconds=time.clock_gettime(BOOT) - self._began)
        return min(self(), self._began_at + lived + TOLERATED)
