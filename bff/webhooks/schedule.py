"""When a delivery is tried again, and when it is given up; how long a failing receiver is left alone.

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
"""After the first failed try, after the second, and so on; after the last one it is given up."""
GIVEN_UP_AFTER: Final = sum(WAITS, timedelta()) + timedelta(hours=1)
"""What was queued longer ago than this and a failing receiver has not got is given up, however often it was
tried. How old the event is does not count: one that is sent again has a schedule of its own."""
SPREAD: Final = 0.1
"""The share of a wait that it may be longer: what failed together does not come back together."""
LONGEST_REST: Final = timedelta(minutes=1)
LONGEST_RETRY_AFTER: Final = timedelta(hours=1)


def next_try(attempts: int, now: datetime, chance: float, retry_after: float | None) -> datetime | None:
    """When to try again after ``attempts`` failed tries; None: never.

    ``chance`` is between 0 and 1; ``retry_after`` the seconds that the receiver asked to be left alone for.
    """
    if attempts > len(WAITS):
        return None
    wait = WAITS[attempts - 1] * (1 + SPREAD * chance)
    if retry_after is not None:
        wait = max(wait, min(timedelta(seconds=retry_after), LONGEST_RETRY_AFTER))
    return now + wait


def rest(failures: int) -> timedelta:
    """How long a receiver is left alone that has failed ``failures`` times in a row, whoever's turn it is.

    One second at first, doubled with each failure, one minute at most: its queue waits, and nobody else's.
    """
    if failures < 1:
        return timedelta()
    return min(timedelta(seconds=2.0 ** min(failures - 1, 10)), LONGEST_REST)


def is_too_old(queued_at: datetime, now: datetime) -> bool:
    """Whether a delivery has waited for longer than any is retried."""
    return now - queued_at > GIVEN_UP_AFTER
