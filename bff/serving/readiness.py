"""Whether a program can do its work, told within a second whatever hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, TimeoutError  # noqa: A004  # the future's own name for it
from typing import Final

WITHIN_SECONDS: Final = 0.8


class Readiness:
    """Asks ``fault`` what is lacking. When it does not answer in time, that is the answer: ``database``.

    A question that hangs is asked by one thread, however many want to know.
    """

    def __init__(self, fault: Callable[[], str | None], within: float = WITHIN_SECONDS) -> None:
        self._fault = fault
        self._within = within
        self._lock = threading.Lock()
        self._asked: Future[str | None] | None = None

    def lacking(self) -> str | None:
        """What is lacking now; None when nothing is."""
        try:
            return self._question().result(self._within)
        except TimeoutError:
            return "database"

    def _question(self) -> Future[str | None]:
        with self._lock:
            if self._asked is None:
                self._asked = Future()
                threading.Thread(target=self._ask, args=(self._asked,), name="readiness", daemon=True).start()
            return self._asked

    def _ask(self, asked: Future[str | None]) -> None:
        try:
            found = self._fault()
        except Exception:  # noqa: BLE001  # whatever it is, the database cannot be asked
            found = "database"
        with self._lock:
            self._asked = None
        asked.set_result(found)
