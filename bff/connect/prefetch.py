"""Runs work ahead, in the background, once for each key, and keeps the result for one caller.

Used to mint for a launch while its popup opens. The results are in this process: on another worker, the
launch mints normally.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from bff.common.background import Submit

FRESH_FOR: Final = timedelta(seconds=10)
"""How long a result may be used. A sign-in token lives longer, but the account's state must be recent."""
MOST_HELD: Final = 1_000
"""Results held at a time, finished or running. Beyond that no work is started."""
MOST_KEYS: Final = 10_000
"""How many of the newest keys are remembered, so that no work is started twice for one of them."""

R = TypeVar("R")


class Prefetcher(Generic[R]):
    """Runs work in the background, once per key, and hands each result to one caller. Thread-safe.

    ``submit`` must not be shared: work that waits for other work in the same queue could deadlock.
    """

    def __init__(self, submit: Submit, clock: Callable[[], datetime]) -> None:
        self._submit = submit
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[datetime, Future[R]]] = {}
        self._begun: dict[str, None] = {}

    def begin(self, key: str, work: Callable[[], R]) -> None:
        """Start ``work``, unless it was started for this key, or its result was asked for, before."""
        now = self._clock()
        with self._lock:
            self._drop_expired(now)
            if key in self._begun or len(self._kept) >= MOST_HELD:
                return
            self._kept[key] = now + FRESH_FOR, self._submit(work)
            self._remember(key)

    def take(self, key: str) -> Future[R] | None:
        """The fresh result for this key, finished or running; no other caller gets it.

        None for work that is still queued, which is cancelled: the caller is faster by itself. Work that
        comes for this key from now on is not started: nobody would take its result.
        """
        with self._lock:
            found = self._kept.pop(key, None)
            self._remember(key)
        if found is None or found[1].cancel() or found[0] <= self._clock():
            return None
        return found[1]

    def drop(self, key: str) -> None:
        """Discard the result for this key."""
        self.take(key)

    def _remember(self, key: str) -> None:
        self._begun[key] = None
        if len(self._begun) > MOST_KEYS:
            del self._begun[next(iter(self._begun))]

    def _drop_expired(self, now: datetime) -> None:
        for key in [key for key, (until, _) in self._kept.items() if until <= now]:
            self._kept.pop(key)[1].cancel()
