"""Periodic work without a request: settles overdue attempts, finds late successes, deletes old rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Set
from datetime import datetime
from typing import Final, Protocol

from bff.connect.attempt import LIVE, Attempt
from bff.connect.polling import AttemptPoller
from bff.connect.ports import AttemptStore

DELETED_AT_ONCE: Final = 15
"""Rows deleted in one transaction: some 5 ms of work, since a click may wait for its locks."""
PAUSE_FACTOR, SHORTEST_PAUSE = 2.0, 0.015
"""The pause after a batch: this many times the batch's duration, and at least this many seconds.

At 5 ms a batch, one worker deletes 750 rows a second: 1.5 times what 500 prepared attempts a second add.
"""
MAX_OVERDUE: Final = 50
"""Overdue attempts polled in one run: each may cost a call to the partner service."""
MAX_RECHECKS: Final = 20
"""Attempts that were given up and are rechecked in one run: with three runs a minute, one a second."""
MAX_UNANSWERED: Final = 3
"""A run ends after this many rechecks in a row without an answer."""


class Purger(Protocol):
    """Deletes rows that are no longer needed."""

    def delete_old(self, now: datetime, limit: int, only: Set[str] | None = None) -> dict[str, int]:
        """Delete at most ``limit`` rows by each rule, or by the rules named in ``only``; counts by rule."""


class Housekeeping:
    """Runs the periodic work. Several workers may run it at the same time.

    Attempts are settled by compare-and-set, and rows deleted by whichever worker locks them first.
    """

    def __init__(
        self, attempts: AttemptStore, poller: AttemptPoller, purger: Purger, clock: Callable[[], datetime]
    ) -> None:
        self._attempts = attempts
        self._poller = poller
        self._purger = purger
        self._clock = clock

    def end_overdue(self) -> int:
        """Settle launched attempts that are past their time; return how many.

        Polls the partner service once more, so that a sign-in that succeeded does not end as expired.
        """
        overdue = self._attempts.overdue(self._clock(), MAX_OVERDUE)
        return sum(self._or_set_aside(attempt, self._has_ended, False) for attempt in overdue)

    def recheck_given_up(self) -> int:
        """Check whether attempts that were given up have succeeded since.

        Returns how many were due, but for those about which the partner service did not answer.
        """
        done, unanswered = 0, 0
        for attempt in self._attempts.due_for_recheck(self._clock(), MAX_RECHECKS):
            if self._or_set_aside(attempt, self._poller.recheck, True):
                done, unanswered = done + 1, 0
            elif (unanswered := unanswered + 1) == MAX_UNANSWERED:
                break
        return done

    def _has_ended(self, attempt: Attempt) -> bool:
        return self._poller.poll(attempt).status not in LIVE

    def _or_set_aside(self, attempt: Attempt, work: Callable[[Attempt], bool], otherwise: bool) -> bool:
        """Return ``work(attempt)``. If it raises, set the attempt aside and return ``otherwise``."""
        try:
            return work(attempt)
        except Exception as error:  # noqa: BLE001  # one attempt must not hold up the others
            self._attempts.set_aside(attempt.id, error)
            return otherwise

    def delete_old(self, pause: Callable[[float], bool] = lambda _seconds: False) -> dict[str, int]:
        """Delete old rows in batches until none is left; return the counts by rule.

        ``pause`` waits the given seconds after a batch, and returns True to stop. By default it does neither.
        """
        deleted: dict[str, int] = {}
        only: Set[str] | None = None
        while True:
            began = time.perf_counter()
            batch = self._purger.delete_old(self._clock(), DELETED_AT_ONCE, only)
            deleted |= {name: deleted.get(name, 0) + count for name, count in batch.items()}
            only = {name for name, count in batch.items() if count == DELETED_AT_ONCE}
            if not only or pause(max(PAUSE_FACTOR * (time.perf_counter() - began), SHORTEST_PAUSE)):
                return deleted
