"""A circuit breaker: an upstream that fails is left alone for a while, and callers are told at once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True)
class Rules:
    """Opens when, of at least ``minimum`` calls in the last ``window`` seconds, ``ratio`` have failed.

    After ``pause`` seconds one call, the probe, is let through. The window is long enough for a quiet
    installation whose calls end one by one by their deadlines.
    """

    window: float = 60.0
    minimum: int = 5
    ratio: float = 0.5
    pause: float = 2.0


RULES: Final = Rules()


class CircuitOpen(Exception):
    """The call may not be made. ``retry_after``: seconds until it is worth another look."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"circuit open for {retry_after:.1f} s")
        self.retry_after = retry_after


class Breaker:
    """One for each upstream. Calls run in parallel: the lock is held for the book-keeping only.

    ``enter`` before a call gives a ticket; ``leave`` hands it back with how the call ended, whatever happens.
    """

    def __init__(self, rules: Rules = RULES, clock: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules
        self._clock = clock
        self._lock = threading.Lock()
        self._state = State.CLOSED
        self._opened_at = 0.0
        # Tickets of an earlier era say nothing about this one: a call may outlast the state it began in.
        self._era = 0
        self._calls: deque[tuple[float, bool]] = deque()
        self._failures = 0

    def state(self) -> State:
        """The state now; an open one stays open until somebody tries."""
        with self._lock:
            return self._state

    def enter(self) -> int:
        """Leave to call. Raises ``CircuitOpen``."""
        with self._lock:
            if self._state is State.CLOSED:
                return self._era
            remaining = self._opened_at + self._rules.pause - self._clock()
            if self._state is State.HALF_OPEN or remaining > 0:
                # While the probe is out nobody knows more than that it is out.
                # Of two floats the difference may be a little more than the pause.
                raise CircuitOpen(max(min(remaining, self._rules.pause), 1.0))
            return self._become(State.HALF_OPEN)

    def leave(self, ticket: int, *, failed: bool) -> None:
        """The call has ended: by a time-out, a broken connection or a 5xx (``failed``), or otherwise."""
        with self._lock:
            if ticket != self._era:
                return
            if self._state is State.HALF_OPEN:
                self._become(State.OPEN if failed else State.CLOSED)
            elif self._state is State.CLOSED:
                self._note(failed=failed)

    def _note(self, *, failed: bool) -> None:
        now = self._clock()
        self._calls.append((now, failed))
        self._failures += failed
        while self._calls[0][0] <= now - self._rules.window:
            self._failures -= self._calls.popleft()[1]
        enough = len(self._calls) >= self._rules.minimum
        if failed and enough and self._failures >= self._rules.ratio * len(self._calls):
            self._become(State.OPEN)

    def _become(self, state: State) -> int:
        self._state = state
        self._opened_at = self._clock() if state is State.OPEN else self._opened_at
        self._era += 1
        self._calls.clear()
        self._failures = 0
        return self._era
