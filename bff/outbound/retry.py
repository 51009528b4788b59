"""Which failed calls are made once more: a table, and the budget that all calls to one upstream share.

| what happened                        | once more                                                  |
|--------------------------------------|------------------------------------------------------------|
| no connection (``UNSENT``)           | yes: nothing was sent                                      |
| a kept connection ended before any answer (``DROPPED``) | a harmless call, at once                |
| broke off otherwise (``BROKEN``)     | a GET, at once                                             |
| 429 or 503 with Retry-After (``BUSY``) | a harmless call, if the wait is short and the time is there |
| no answer in time (``SLOW``)         | no: it may have been done, and would be slow again         |
| anything else (``FAILED``)           | no                                                         |

``DROPPED``: an upstream closes what was idle for long, maybe while the next call is on its way. As a rule it
has read nothing of that call, but nothing proves it (RFC 9110, section 9.2.2). A connection that was opened
for the call and ends without an answer is another matter: that upstream is in trouble.

| call                        | harmless | since                                                            |
|-----------------------------|----------|------------------------------------------------------------------|
| any GET                     | yes      | it changes nothing                                               |
| access token, sign-in token | yes      | of two, the one that nobody has heard of ends by itself          |
| make an account             | yes      | its id is ours: the second is refused as there already           |
| install a connector         | yes      | its name is ours: the second is refused, and the first one found |
| complete, accept, refuse    | no       | what they stand for is used up: the second finds it gone         |

This is the one layer that repeats a call (but for the one renewal after a 401, ``partner_client.py``).
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MOST_TRIES: Final = 2
FLOOR, SPREAD = 0.05, 0.1
"""Between two connects: at least the floor, and up to the spread more, in seconds."""
LONGEST_WAIT: Final = 3.0
"""A person waits for the answer: an upstream that wants more time than this gets no second call."""


class Failure(StrEnum):
    """How a try ended badly."""

    UNSENT = "unsent"
    DROPPED = "dropped"
    BROKEN = "broken"
    BUSY = "busy"
    SLOW = "slow"
    FAILED = "failed"


@dataclass(frozen=True)
class Try:
    """A try that failed. ``harmless``: made twice, the call does no more harm than once.

    ``retry_after``: seconds, where the upstream named them. ``number`` counts from 1; ``remaining``: seconds
    that the whole call still has.
    """

    method: str
    harmless: bool
    failure: Failure
    retry_after: float | None
    number: int
    remaining: float


def wait_before_retry(tried: Try, chance: float) -> float | None:
    """Seconds to wait before the next try, or None for no next try. ``chance`` in [0, 1) spreads callers."""
    wait = _wanted(tried, chance)
    if tried.number >= MOST_TRIES or wait is None or wait > LONGEST_WAIT or wait >= tried.remaining:
        return None
    return wait


def _wanted(tried: Try, chance: float) -> float | None:
    harmless = tried.harmless or tried.method == "GET"
    if tried.failure is Failure.UNSENT:
        return FLOOR + chance * SPREAD
    if tried.failure is Failure.DROPPED and harmless:
        return 0.0
    if tried.failure is Failure.BROKEN and tried.method == "GET":
        return 0.0
    if tried.failure is Failure.BUSY and harmless and tried.retry_after is not None:
        # Never sooner than asked for, so the spread comes on top (and never all at one moment).
        return max(tried.retry_after, FLOOR) + chance * SPREAD
    return None


class Budget:
    """At most one retry for ten calls, and a few in hand for a quiet hour: a token bucket."""

    SHARE: Final = 0.1
    MOST: Final = 5.0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens = self.MOST

    def earn(self) -> None:
        """A call was made for the first time."""
        with self._lock:
            self._tokens = min(self.MOST, self._tokens + self.SHARE)

    def spend(self) -> bool:
        """Whether a retry may be made."""
        with self._lock:
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


def chance() -> float:
    """Where in the spread a caller's wait lies."""
    return random.random()  # noqa: S311  # nosec B311  # it spreads load; nobody gains by guessing it
