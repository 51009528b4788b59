"""Limits the rows that a product makes in a day. Counts in batches, so that most clicks need no counter."""

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
"""A batch is a thousandth of the limit. Each process may hold one that is not counted yet."""
PREFIX: Final = "hitchpost"
SHARE: Final = 10
"""One account may use a tenth of its product's limit, so that it cannot use it up for all."""
MOST_KEPT: Final = 10_000
"""Counts that a process has not told yet, or knows to be full; of more the oldest are forgotten."""


class ByDay:
    """At most ``most`` a day for each product, and a share of it for each account.

    A window begins with its first parcel.
    """

    def __init__(self, counting: FixedWindowRateLimiter, most: int) -> None:
        self._counting = counting
        self._most = most
        self._lock = threading.Lock()
        self._untold: dict[tuple[str, ...], float] = {}
        self._full: dict[tuple[str, ...], float] = {}

    def spend(self, what: str, product: str, account: str | None = None) -> None:
        """Count one more. Raises ``RateLimited``, or the storage's own error.

        The account, where there is one, comes first: what is over its share uses up nothing of the product's.
        """
        if account is not None:
            self._count((what, product, account), max(1, self._most // SHARE), "account")
        self._count((what, product), self._most, "product")

    def _count(self, which: tuple[str, ...], most: int, whose: str) -> None:
        parcel = max(1, most // PARCELS)
        with self._lock:
            full_until = self._full.get(which, 0.0)
            untold = self._untold.pop(which, 0) + 1
            tells = untold >= parcel
            if not tells:
                _keep(self._untold, which, untold)
        if full_until > time.time():
            raise _refusal(most, whose, full_until)
        if tells and (ends_at := self._tell(which, most, parcel)) is not None:
            with self._lock:
                _keep(self._full, which, ends_at)
            raise _refusal(most, whose, ends_at)

    def _tell(self, which: tuple[str, ...], most: int, parcel: int) -> float | None:
        """Count a batch; return when the window ends if the limit is reached."""
        day = RateLimitItemPerDay(most)
        key = PREFIX, "day", sha256(json.dumps(which).encode()).hexdigest()
        if self._counting.hit(day, *key, cost=parcel):
            return None
        return self._counting.get_window_stats(day, *key).reset_time


def _keep(kept: dict[tuple[str, ...], float], which: tuple[str, ...], value: float) -> None:
    if which not in kept and len(kept) >= MOST_KEPT:
        kept.pop(next(iter(kept)))
    kept[which] = value


def _refusal(most: int, whose: str, until: float) -> RateLimited:
    said = f"at most {most} of these calls a day for one {whose}; operators may allow more"
    return RateLimited(said, retry_after=max(1.0, until - time.time()))
