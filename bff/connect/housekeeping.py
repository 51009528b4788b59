"""What has to happen although nobody asks: attempts come to their end, and what is old is forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable, Set
from datetime import datetime
from typing import Final, Protocol

from bff.connect.attempt import LIVE
from bff.connect.polling import Watch
from bff.connect.ports import AttemptStore

BATCH: Final = 50
"""Rows in one transaction: a few milliseconds, however large the tables are, for which a click may wait."""
RESTS, SHORTEST_REST = 2.0, 0.05
"""A purge rests so many times as long as its batch took, at least so many seconds: most clicks meet none.

So a worker is rid of up to a thousand rows a second: twice as many as come when 500 attempts are prepared.
"""
OVERDUE: Final = 50
"""Attempts whose end is looked for in one round: each may be a call to the partner service."""


class Purge(Protocol):
    """Who deletes."""

    def forget(self, now: datetime, limit: int, only: Set[str] | None = None) -> dict[str, int]:
        """Delete at most ``limit`` rows of each kind, or of the named ones only; how many went, by kind."""


class Housekeeping:
    """One round at a time. Any number of workers may do it at once: each step is a compare-and-set."""

    def __init__(
        self, attempts: AttemptStore, watch: Watch, purge: Purge, clock: Callable[[], datetime]
    ) -> None:
        self._attempts = attempts
        self._watch = watch
        self._purge = purge
        self._clock = clock

    def end_overdue(self) -> int:
        """Bring launched attempts to their end whose page has gone; how many ended.

        The partner service is asked a last time, so that a sign-in that succeeded is not called expired.
        """
        overdue = self._attempts.overdue(self._clock(), OVERDUE)
        return sum(self._watch.observe(attempt).status not in LIVE for attempt in overdue)

    def forget(self, pause: Callable[[float], bool] = lambda _seconds: False) -> dict[str, int]:
        """Delete in batches until nothing is left to delete; how many went, by kind.

        ``pause`` lasts so many seconds and says whether to stop. Without it the batches follow each other.
        """
        gone: dict[str, int] = {}
        only: Set[str] | None = None
        while True:
            began = time.perf_counter()
            batch = self._purge.forget(self._clock(), BATCH, only)
            gone |= {name: gone.get(name, 0) + count for name, count in batch.items()}
            only = {name for name, count in batch.items() if count == BATCH}
            if not only or pause(max(RESTS * (time.perf_counter() - began), SHORTEST_REST)):
                return gone
