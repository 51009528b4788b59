"""Retry schedule of a delivery, and back-off of a failing receiver.

The waits are those that the Standard Webhooks specification recommends: ten tries in three days.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Wait after the first failed try, after the second, and so on. After the last wait there is one more try."""
GIVEN_UP_AFTER: Final = sum(WAITS, timedelta()) + timedelta(hours=1)
"""A delivery that was queued longer ago is given up, however often it was tried. It counts from queueing, not
from the event, so that a resend of an old event gets its whole schedule."""
SPREAD: Final = 0.1
"""Random extra wait, as a share of the wait: deliveries that failed together do not retry together."""
LONGEST_REST: Final = timedelta(minutes=1)
LONGEST_RETRY_AFTER: Final = timedelta(hours=1)
"""Upper bound for a receiver's ``Retry-After``."""


def next_try(attempts: int, now: datetime, chance: float, retry_after: float | None) -> datetime | None:
    """The time of the next try after ``attempts`` failed tries. None when there is none left.

    ``chance`` in [0, 1] picks the random extra wait. ``retry_after`` is the receiver's ``Retry-After`` in
    seconds.
    """
    if attempts > len(WAITS):
        return None
    wait = WAITS[attempts - 1] * (1 + SPREAD * chance)
    if retry_after is not None:
        wait = max(wait, min(timedelta(seconds=retry_after), LONGEST_RETRY_AFTER))
    return now + wait


def rest(failures: int) -> timedelta:
    """Back-off of a receiver after ``failures`` consecutive failures: 1 s, doubled each time, at most 1 min.

    It delays all deliveries to this receiver, and none to others.
    """
    if failures < 1:
        return timedelta()
    return min(timedelta(seconds=2.0 ** min(failures - 1, 10)), LONGEST_REST)


def is_too_old(queued_at: datetime, now: datetime) -> bool:
    """Whether a delivery was queued longer ago than the whole retry schedule lasts."""
    return now - queued_at > GIVEN_UP_AFTER
