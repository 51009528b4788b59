"""What a launch will wait for, begun while its window still opens.

It is in the memory of one worker and nowhere else. Of several workers, one that did not hear of the press
launches as ever.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from bff.common.background import Aside

GOOD: Final = timedelta(seconds=10)
"""So long after it was begun a result may be taken: a press and a window take less. It tells how an account
stood, which must be news; and a sign-in token lives for a minute."""
MOST: Final = 1_000
"""Results that are kept at a time. While there are as many, nothing is begun: every launch does its own."""
REMEMBERED: Final = 10_000
"""Keys, the newest, for each of which nothing is begun again."""

R = TypeVar("R")


class Ahead(Generic[R]):
    """Work begun ahead, by a key: once for each, and whoever takes it is the only one. Thread-safe.

    ``aside`` must be nobody else's: work that waits for other work in the same queue could wait for ever.
    """

    def __init__(self, aside: Aside, clock: Callable[[], datetime]) -> None:
        self._aside = aside
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[datetime, Future[R]]] = {}
        self._begun: dict[str, None] = {}

    def begin(self, key: str, work: Callable[[], R]) -> None:
        """Begin it, unless it was begun for this key before."""
        now = self._clock()
        with self._lock:
            self._forget(now)
            if key in self._begun or len(self._kept) >= MOST:
                return
            self._kept[key] = now + GOOD, self._aside(work)
            self._begun[key] = None
            if len(self._begun) > REMEMBERED:
                del self._begun[next(iter(self._begun))]

    def take(self, key: str) -> Future[R] | None:
        """What was begun for this key and is still good: done, or under way.

        None for what still queues, which then never starts: by itself the caller is sooner done.
        """
        with self._lock:
            found = self._kept.pop(key, None)
        if found is None or found[1].cancel() or found[0] <= self._clock():
            return None
        return found[1]

    def drop(self, key: str) -> None:
        """Nobody will take what was begun for this key."""
        self.take(key)

    def _forget(self, now: datetime) -> None:
        for key in [key for key, (until, _) in self._kept.items() if until <= now]:
            self._kept.pop(key)[1].cancel()
