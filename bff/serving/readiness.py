"""Readiness check with a timeout, so that it answers within a second even if the database hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, TimeoutError  # noqa: A004  # the future's own name for it
from typing import Final

WITHIN_SECONDS: Final = 0.8


class Readiness:
    """Calls ``fault`` in a thread, and reports ``database`` if it does not return within ``within`` seconds.

    Concurrent callers share one call, so that a database that hangs occupies one thread.
    """

    def __init__(self, fault: Callable[[], str | None], within: float = WITHIN_SECONDS) -> None:
        self._fault = fault
        self._within = within
        self._lock = threading.Lock()
        self._pending: Future[str | None] | None = None

    def lacking(self) -> str | None:
        """What is lacking, such as ``database``; None if the program is ready."""
        try:
            return self._check().result(self._within)
        except TimeoutError:
            return "database"

    def _check(self) -> Future[str | None]:
        with self._lock:
            if self._pending is None:
                self._pending = Future()
                threading.Thread(
                    target=self._run, args=(self._pending,), name="readiness", daemon=True
                ).start()
            return self._pending

    def _run(self, pending: Future[str | None]) -> None:
        try:
            fault = self._fault()
        except Exception:  # noqa: BLE001  # any error means that the database cannot be used
            fault = "database"
        with self._lock:
            self._pending = None
        pending.set_result(fault)
