"""A circuit breaker: after too many failures, calls to an upstream fail at once for a while."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """State of a circuit. ``HALF_OPEN``: one probe call is under way, others are refused."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True)
class Rules:
    """When a circuit opens: of at least ``minimum`` calls in the last ``window`` seconds, ``ratio`` failed.

    After ``pause`` seconds one call, the probe, is allowed. The default window is long enough for an
    installation with few calls, where each failure takes a whole time-out.
    """

    window: float = 60.0
    minimum: int = 5
    ratio: float = 0.5
    pause: float = 2.0


RULES: Final = Rules()


class CircuitOpen(Exception):
    """The circuit is open, so the call was not made. Try again after ``retry_after`` seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"circuit open for {retry_after:.1f} s")
        self.retry_after = retry_after


class Breaker:
    """The circuit of one upstream. Safe to use from many threads.

    Call ``enter`` before each call, and afterwards always ``leave`` with the ticket that it returned.
    """

    def __init__(self, rules: Rules = RULES, clock: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules
        self._clock = clock
        self._lock = threading.Lock()
        self._state = State.CLOSED
        self._opened_at = 0.0
        # Counts changes of state, and is the ticket. A call that began before the last change does not count.
        self._era = 0
        self._calls: deque[tuple[float, bool]] = deque()
        self._failures = 0

    def state(self) -> State:
        """The current state. An open circuit becomes half-open only at the next ``enter``."""
        with self._lock:
            return self._state

    def enter(self) -> int:
        """Ask for permission to call. Returns a ticket for ``leave``. Raises ``CircuitOpen``."""
        with self._lock:
            if self._state is State.CLOSED:
                return self._era
            remaining = self._opened_at + self._rules.pause - self._clock()
            if self._state is State.HALF_OPEN or remaining > 0:
                # At least 1 s: how long the probe takes is unknown. At most the pause, which float
                # subtraction may exceed a little.
                raise CircuitOpen(max(min(remaining, self._rules.pause), 1.0))
            return self._become(State.HALF_OPEN)

    def leave(self, ticket: int, *, failed: bool | None) -> None:
        """Report the end of a call. ``failed``: by a time-out, a broken connection or a 5xx.

        None: the call says nothing about the upstream. If it was the probe, the next call is the next one.
        """
        with self._lock:
            if ticket != self._era:
                return
            if failed is None:
                if self._state is State.HALF_OPEN:
                    self._become(State.OPEN, self._opened_at)
            elif self._state is State.HALF_OPEN:
                self._become(State.OPEN if failed else State.CLOSED)
            elif self._state is State.CLOSED:
                self._count(failed=failed)

    def _count(self, *, failed: bool) -> None:
        now = self._clock()
        self._calls.append((now, failed))
        self._failures += failed
        while self._calls[0][0] <= now - self._rules.window:
            self._failures -= self._calls.popleft()[1]
        enough = len(self._calls) >= self._rules.minimum
        if failed and enough and self._failures >= self._rules.ratio * len(self._calls):
            self._become(State.OPEN)

    def _become(self, state: State, opened_at: float | None = None) -> int:
        self._state = state
        if state is State.OPEN:
            self._opened_at = self._clock() if opened_at is None else opened_at
        self._era += 1
        self._calls.clear()
        self._failures = 0
        return self._era
