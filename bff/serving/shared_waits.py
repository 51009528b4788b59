"""Waits for something that another process does, with one poller for all who wait for the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Final

FIRST_REST: Final = 0.05
"""Seconds before the first poll. Each further rest is twice as long, up to ``LONGEST_REST``."""
LONGEST_REST: Final = 1.0


class SharedWaits:
    """Of several threads that wait for the same, one polls. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, threading.Event] = {}

    def wait(self, what: Hashable, is_over: Callable[[], bool], seconds: float) -> None:
        """Wait until ``is_over()`` is True, ``end`` is called, or the time is over.

        It may also return earlier, so look again afterwards. Raises what ``is_over`` raises.
        """
        with self._lock:
            event = self._waiting.get(what)
            if polls := event is None:
                event = self._waiting[what] = threading.Event()
        if not polls:
            event.wait(seconds)
            return
        try:
            _poll(event, is_over, time.monotonic() + seconds)
        finally:
            with self._lock:
                del self._waiting[what]
            # Another one polls on if it is not over.
            event.set()

    def end(self, what: Hashable) -> None:
        """Wake all who wait for this in this process."""
        with self._lock:
            event = self._waiting.get(what)
        if event is not None:
            event.set()


def _poll(event: threading.Event, is_over: Callable[[], bool], ends: float) -> None:
    rest = FIRST_REST
    while (left := ends - time.monotonic()) > 0:
        if event.wait(min(rest, left)) or is_over():
            return
        rest = min(2 * rest, LONGEST_REST)
