"""The current time according to the database: one clock for all machines that share it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Engine, text

NOTICED: Final = timedelta(seconds=0.5)
"""Smaller differences are ignored, as the query itself takes time."""
TOLERATED: Final = timedelta(seconds=5)
"""Larger differences from this machine's clock are logged."""
SLOWEST: Final = timedelta(seconds=2)
"""Answers that took longer are ignored as too inexact."""
ASK: Final = {
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())",
    "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400.0",
}
BOOT: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

log = structlog.get_logger("hitchpost.clock")


class StoreClock:
    """A callable that returns the current time (UTC): this machine's clock, corrected by the database's.

    SQLite's clock is this machine's. Deletions use ``cautious`` or ``has_passed``, which ignore a clock that
    jumps ahead.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._wrong_by = timedelta(0)
        self.follow()
        self._began_at, self._began = self(), time.clock_gettime(BOOT)

    def __call__(self) -> datetime:
        """The current time. Does not query the database."""
        return datetime.now(UTC) - self._wrong_by

    def follow(self) -> None:
        """Measure the difference from the database's clock. Raises ``SQLAlchemyError``."""
        with self._engine.connect() as connection:
            before = datetime.now(UTC)
            seconds = connection.execute(text(ASK[self._engine.dialect.name])).scalar_one()
            after = datetime.now(UTC)
        if not timedelta(0) <= after - before <= SLOWEST:
            return
        difference = before + (after - before) / 2 - datetime.fromtimestamp(float(seconds), UTC)
        wrong_by = difference if abs(difference) > NOTICED else timedelta(0)
        if abs(wrong_by) > TOLERATED and abs(wrong_by - self._wrong_by) > TOLERATED:
            log.warning("clock differs from the database's", seconds=round(wrong_by.total_seconds(), 1))
        self._wrong_by = wrong_by

    def cautious(self) -> datetime:
        """The database's current time, limited to this process's start plus its run time.

        For deletions: if a clock jumps ahead, even the database's, no row becomes old. Raises as ``follow``.
        """
        self.follow()
        run_time = timedelta(seconds=time.clock_gettime(BOOT) - self._began)
        return min(self(), self._began_at + run_time + TOLERATED)

    def has_passed(self, moment: datetime) -> bool:
        """Whether ``moment`` has passed, also if a clock has jumped ahead. Raises as ``follow``."""
        # The cautious time queries the database, so it is read only if the moment seems to have passed.
        return moment <= self() and moment <= self.cautious()
