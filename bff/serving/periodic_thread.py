"""A thread that does periodic work."""

from __future__ import annotations

import random
import threading
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def safely(log: Any, what: str, work: Callable[[], T], otherwise: T) -> T:
    """Return ``work()``. Log whatever it raises as ``what`` and "failed", and return ``otherwise``."""
    try:
        return work()
    except Exception:  # logged; the next round may succeed
        log.exception(f"{what} failed")  # noqa: G004  # the text is fixed
        return otherwise


def stop_all() -> None:
    """Stop every ``Rounds`` of this process after its current round. For a process that is about to end."""
    for thread in threading.enumerate():
        if isinstance(thread, Rounds):
            thread.stop()


class Rounds(threading.Thread):
    """Calls ``once`` every ``every`` seconds, until ``stop`` or the end of the process.

    ``spread`` is the share of ``every`` by which an interval may randomly differ, so that processes that
    started together do not work at the same time. Failures are logged to ``log`` as ``name`` and "failed".
    """

    def __init__(self, name: str, every: float, log: Any, *, spread: float = 0.0) -> None:
        super().__init__(name=name, daemon=True)
        self._every = every
        self._log = log
        self._spread = spread
        self._over = threading.Event()

    @abstractmethod
    def once(self) -> None:
        """Do the work once. Exceptions are logged."""

    def run(self) -> None:
        """Call ``once`` periodically until stopped. A failure does not end it."""
        while not self._over.wait(self._rest()):
            safely(self._log, self.name, self.once, None)

    def stop(self) -> None:
        """Stop after the current round."""
        self._over.set()

    def _rest(self) -> float:
        return self._every * random.uniform(1 - self._spread, 1 + self._spread)  # noqa: S311  # spreads the work
