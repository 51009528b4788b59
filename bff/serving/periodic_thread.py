"""What a running program does although nobody asks: round after round, in a thread of its own."""

from __future__ import annotations

import random
import threading
from abc import abstractmethod
from typing import Any


class Rounds(threading.Thread):
    """A round every so many seconds; ends with the process or by ``stop``.

    ``spread`` is the share of ``every`` by which a rest may be shorter or longer, so that processes which
    started together do not work together. ``log`` is told of a round that fails, as ``name`` and "failed".
    """

    def __init__(self, name: str, every: float, log: Any, *, spread: float = 0.0) -> None:
        super().__init__(name=name, daemon=True)
        self._every = every
        self._log = log
        self._spread = spread
        self._over = threading.Event()

    @abstractmethod
    def once(self) -> None:
        """One round. Whatever it raises is told."""

    def run(self) -> None:
        """Rounds until it is stopped; the one after a failure tries again."""
        while not self._over.wait(self._rest()):
            try:
                self.once()
            except Exception:  # noqa: BLE001  # it is told, and the next round may be luckier
                self._log.exception(f"{self.name} failed")

    def stop(self) -> None:
        """No further round."""
        self._over.set()

    def _rest(self) -> float:
        return self._every * random.uniform(1 - self._spread, 1 + self._spread)  # noqa: S311  # nosec B311  # spreads the work
