"""Decides which failed calls are retried, by a table and by a budget that all calls to one upstream share.

| failure                                | retried                                               |
|----------------------------------------|-------------------------------------------------------|
| no connection made (``UNSENT``)        | yes: nothing was sent                                 |
| pooled connection closed before any response (``DROPPED``) | a harmless call, at once          |
| connection broken otherwise (``BROKEN``) | a GET, at once                                      |
| 429 or 503 with Retry-After (``BUSY``) | a harmless call, if the wait fits the deadline        |
| no response in time (``SLOW``)         | no: it may have been done, and would be slow again    |
| anything else (``FAILED``)             | no                                                    |

``DROPPED``: an upstream may close an idle connection while the next request is on its way. It has rarely
read that request, but nothing proves it (RFC 9110, section 9.2.2). A new connection that is closed without a
response is different: that upstream is in trouble.

| call                        | harmless | reason                                                        |
|-----------------------------|----------|---------------------------------------------------------------|
| any GET                     | yes      | it changes nothing                                            |
| access token, sign-in token | yes      | of two tokens, the unused one expires                         |
| create an account           | yes      | we choose its id: the second request is refused as a conflict |
| install a connector         | yes      | we choose its name: the second is refused, the first is found |
| accept a held grant         | yes      | the second request is answered as the first                   |
| complete, refuse            | no       | they consume a one-time value: the second request fails       |

No other layer retries, except for one renewal of the access token after a 401 (``partner_client.py``).
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FLOOR, SPREAD = 0.05, 0.1
"""Wait between two tries in seconds: the floor, and a random part of the spread."""
LONGEST_WAIT: Final = 3.0
"""Seconds. A person waits for the response, so there is no retry if the upstream asks for a longer wait."""


class Failure(StrEnum):
    """How a try failed: see the first table above."""

    UNSENT = "unsent"
    DROPPED = "dropped"
    BROKEN = "broken"
    BUSY = "busy"
    SLOW = "slow"
    FAILED = "failed"


@dataclass(frozen=True)
class Try:
    """The first try of a call, which failed. ``harmless``: sending it twice has no other effect than once.

    ``retry_after`` is the upstream's ``Retry-After`` in seconds. ``remaining`` is the number of seconds until
    the deadline of the whole call.
    """

    method: str
    harmless: bool
    failure: Failure
    retry_after: float | None
    remaining: float


def wait_before_retry(tried: Try, chance: float) -> float | None:
    """Seconds to wait before the second and last try, or None for no retry.

    ``chance`` in [0, 1) spreads callers.
    """
    wait = _wait_by_failure(tried, chance)
    if wait is None or wait > LONGEST_WAIT or wait >= tried.remaining:
        return None
    return wait


def _wait_by_failure(tried: Try, chance: float) -> float | None:
    harmless = tried.harmless or tried.method == "GET"
    if tried.failure is Failure.UNSENT:
        return FLOOR + chance * SPREAD
    if tried.failure is Failure.DROPPED and harmless:
        return 0.0
    if tried.failure is Failure.BROKEN and tried.method == "GET":
        return 0.0
    if tried.failure is Failure.BUSY and harmless and tried.retry_after is not None:
        # Not earlier than the upstream asked for, so the spread is added.
        return max(tried.retry_after, FLOOR) + chance * SPREAD
    return None


class Budget:
    """Limits retries to one for ten calls, and bursts to five: a token bucket."""

    SHARE: Final = 0.1
    MOST: Final = 5.0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens = self.MOST

    def earn(self) -> None:
        """Count a new call."""
        with self._lock:
            self._tokens = min(self.MOST, self._tokens + self.SHARE)

    def spend(self) -> bool:
        """Take a retry out of the budget. Returns False if it is empty."""
        with self._lock:
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


def chance() -> float:
    """A random number in [0, 1), for ``wait_before_retry``."""
    return random.random()  # noqa: S311  # it spreads load; nobody gains by guessing it
