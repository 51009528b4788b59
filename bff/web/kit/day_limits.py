"""Limits the rows that a product creates in a day. Counts in batches, so that most calls write no counter."""

from __future__ import annotations

import json
import threading
import time
from hashlib import sha256
from typing import Final

from limits import RateLimitItemPerDay
from limits.strategies import FixedWindowRateLimiter

from bff.common.errors import RateLimited

PARCELS: Final = 1000
"""Batches in a limit: each is a thousandth of it. A process may hold one that is not counted yet."""
PREFIX: Final = "hitchpost"
SHARE: Final = 10
"""One account may use a tenth of its product's limit, so that it cannot exhaust it for the others."""
MOST_KEPT: Final = 10_000
"""Maximum entries of uncounted calls, and of reached limits, in a process. The oldest are dropped."""


class ByDay:
    """At most ``most`` rows a day for each product, and a share of it for each account.

    A window of a day begins with its first batch.
    """

    def __init__(self, counting: FixedWindowRateLimiter, most: int) -> None:
        self._counting = counting
        self._most = most
        self._lock = threading.Lock()
        self._uncounted: dict[tuple[str, ...], float] = {}
        self._full: dict[tuple[str, ...], float] = {}

    def spend(self, what: str, product: str, account: str | None = None) -> None:
        """Count one row. Raises ``RateLimited`` or the storage's error.

        The account is counted first, so that a call above its share does not use up the product's limit.
        """
        if account is not None:
            self._count((what, product, account), max(1, self._most // SHARE), "account")
        self._count((what, product), self._most, "product")

    def _count(self, which: tuple[str, ...], most: int, whose: str) -> None:
        batch = max(1, most // PARCELS)
        with self._lock:
            full_until = self._full.get(which, 0.0)
            uncounted = self._uncounted.pop(which, 0) + 1
            is_complete = uncounted >= batch
            if not is_complete:
                _keep(self._uncounted, which, uncounted)
        if full_until > time.time():
            raise _refusal(most, whose, full_until)
        if is_complete and (ends_at := self._count_batch(which, most, batch)) is not None:
            with self._lock:
                _keep(self._full, which, ends_at)
            raise _refusal(most, whose, ends_at)

    def _count_batch(self, which: tuple[str, ...], most: int, batch: int) -> float | None:
        """Count a batch. If the limit is reached, return when the window ends (seconds since 1970)."""
        day = RateLimitItemPerDay(most)
        key = PREFIX, "day", sha256(json.dumps(which).encode()).hexdigest()
        if self._counting.hit(day, *key, cost=batch):
            return None
        return self._counting.get_window_stats(day, *key).reset_time


def _keep(kept: dict[tuple[str, ...], float], which: tuple[str, ...], value: float) -> None:
    if which not in kept and len(kept) >= MOST_KEPT:
        kept.pop(next(iter(kept)))
    kept[which] = value


def _refusal(most: int, whose: str, until: float) -> RateLimited:
    detail = f"at most {most} of these calls a day for one {whose}; operators may allow more"
    return RateLimited(detail, retry_after=max(1.0, until - time.time()))
