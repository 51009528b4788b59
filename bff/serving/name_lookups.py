"""Limits look-ups of host names that others choose, because one may hold a thread for half a minute.

The system's resolver has no time limit that a caller sets: a look-up goes on after its caller has given up.
Under gevent all look-ups of a worker share ten native threads, those of its own stores among them.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from typing import Final, TypeVar

UNKNOWN_AT_ONCE: Final = 3
"""Look-ups under way of names that have not been resolved before."""
KNOWN_AT_ONCE: Final = 4
"""The same of names that have. Together they leave three of the ten threads to names that nobody chooses."""
OF_ONE_DOMAIN: Final = 2
"""Look-ups under way below one domain, such as ``example.com``."""
MOST_WAITING: Final = 50
"""Callers that wait for a look-up to begin. A further one fails at once."""
REMEMBERED: Final = 10_000
SLOW_SECONDS: Final = 20.0
"""How long a name whose look-up took too long fails at once."""

V = TypeVar("V")
Work = Callable[[], list[str]]


class _Share:
    """Look-ups that may be under way at once."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._changed = threading.Condition()
        self._running: Counter[str] = Counter()
        self._waiting = 0

    def take(self, domain: str, seconds: float) -> bool:
        """Wait until one more may begin. Returns False if none may in time."""
        with self._changed:
            if self._waiting >= MOST_WAITING:
                return False
            self._waiting += 1
            try:
                free = self._changed.wait_for(lambda: self._may_begin(domain), seconds)
            finally:
                self._waiting -= 1
            self._running[domain] += free
            return free

    def give_back(self, domain: str) -> None:
        """One has ended."""
        with self._changed:
            self._running[domain] -= 1
            if not self._running[domain]:
                del self._running[domain]
            self._changed.notify_all()

    def _may_begin(self, domain: str) -> bool:
        return self._running.total() < self._at_once and self._running[domain] < OF_ONE_DOMAIN


class NameLookups:
    """Runs look-ups in threads. A process has one, see ``lookups``."""

    def __init__(self) -> None:
        self._unknown, self._known = _Share(UNKNOWN_AT_ONCE), _Share(KNOWN_AT_ONCE)
        self._resolved: dict[str, None] = {}
        self._slow: dict[str, float] = {}

    def run(self, host: str, work: Work, seconds: float) -> list[str]:
        """Return ``work()``, the addresses of ``host``, or raise what it raises.

        Raises ``TimeoutError`` if it takes longer, if too many are under way, or if it did so just now.
        """
        ends = time.monotonic() + seconds
        if self._slow.get(host, 0.0) > time.monotonic():
            raise TimeoutError("the name took too long to resolve just now")
        share, domain = self._known if host in self._resolved else self._unknown, _domain_of(host)
        if not share.take(domain, max(0.0, seconds)):
            raise TimeoutError("too many names are being resolved")
        found = _begin(work, lambda: share.give_back(domain))
        return self._result(host, found, max(0.0, ends - time.monotonic()))

    def _result(self, host: str, found: Future[list[str]], seconds: float) -> list[str]:
        try:
            addresses = found.result(seconds)
        except TimeoutError:
            if not found.done():
                self._resolved.pop(host, None)
                _remember(self._slow, host, time.monotonic() + SLOW_SECONDS)
            raise
        _remember(self._resolved, host, None)
        return addresses


def in_thread(work: Work, seconds: float) -> list[str]:
    """Return ``work()`` for a name that nobody chooses. Raises ``TimeoutError``, or what it raises."""
    return _begin(work).result(max(0.0, seconds))


@cache
def lookups(_resolver: object) -> NameLookups:
    """Those of this process with a resolver.

    Made at the first look-up: gevent has replaced the locks by then.
    """
    return NameLookups()


def _begin(work: Work, ended: Callable[[], None] = lambda: None) -> Future[list[str]]:
    """Run ``work`` in a thread, and then ``ended``."""
    found: Future[list[str]] = Future()

    def resolve() -> None:
        try:
            found.set_result(work())
        except Exception as error:  # noqa: BLE001  # raised where the result is read
            found.set_exception(error)
        finally:
            ended()

    threading.Thread(target=resolve, name="name look-up", daemon=True).start()
    return found


def _domain_of(host: str) -> str:
    return ".".join(host.rstrip(".").lower().split(".")[-2:])


def _remember(known: dict[str, V], host: str, value: V) -> None:
    known.pop(host, None)
    if len(known) >= REMEMBERED:
        known.pop(next(iter(known)), None)
    known[host] = value
