"""How many rows one product may make in a day, counted in parcels: not each click waits for one counter."""

from __future__ import annotations

import threading
import time
from hashlib import sha256
from typing import Final

from limits import RateLimitItemPerDay
from limits.strategies import FixedWindowRateLimiter

from bff.core.errors import RateLimited

PARCELS: Final = 1000
"""A day's limit is counted by thousandths; each process may have one that is not told yet."""
PREFIX: Final = "hitchpost"


class ByDay:
    """At most ``most`` a day for each product, in a window that begins with the first parcel."""

    def __init__(self, counting: FixedWindowRateLimiter, most: int) -> None:
        self._counting = counting
        self._most = most
        self._parcel = max(1, most // PARCELS)
        self._lock = threading.Lock()
        self._untold: dict[tuple[str, str], int] = {}
        self._full: dict[tuple[str, str], float] = {}

    def spend(self, what: str, product: str) -> None:
        """Count one more. Raises ``RateLimited``, or the storage's own error."""
        which = what, product
        with self._lock:
            full_until = self._full.get(which, 0.0)
            untold = self._untold.get(which, 0) + 1
            tells = untold >= self._parcel
            self._untold[which] = 0 if tells else untold
        if full_until > time.time():
            raise self._refusal(full_until)
        if tells:
            self._tell(which)

    def _tell(self, which: tuple[str, str]) -> None:
        day = RateLimitItemPerDay(self._most)
        key = PREFIX, "day", sha256("\n".join(which).encode()).hexdigest()
        if not self._counting.hit(day, *key, cost=self._parcel):
            self._full[which] = self._counting.get_window_stats(day, *key).reset_time
            raise self._refusal(self._full[which])

    def _refusal(self, until: float) -> RateLimited:
        said = f"at most {self._most} of these calls a day for one product; operators may allow more"
        return RateLimited(said, retry_after=max(1.0, until - time.time()))
