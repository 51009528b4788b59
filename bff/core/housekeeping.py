"""What has to happen although nobody asks: attempts come to their end, and what is old is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from bff.core.model import LIVE
from bff.core.ports import AttemptStore
from bff.core.watch import Watch

BATCH: Final = 500
"""Rows in one transaction: some milliseconds, which no click notices."""
OVERDUE: Final = 50
"""Attempts whose end is looked for in one round: each may be a call to the partner service."""


class Purge(Protocol):
    """Who deletes."""

    def forget(self, now: datetime, limit: int) -> dict[str, int]:
        """Delete at most ``limit`` rows of each kind; how many went, by kind."""


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

    def forget(self, stop: Callable[[], bool] = lambda: False) -> dict[str, int]:
        """Delete in batches until nothing is left to delete or ``stop()``; how many went, by kind."""
        gone: dict[str, int] = {}
        while True:
            batch = self._purge.forget(self._clock(), BATCH)
            gone = {name: gone.get(name, 0) + count for name, count in batch.items()}
            if stop() or all(count < BATCH for count in batch.values()):
                return gone
