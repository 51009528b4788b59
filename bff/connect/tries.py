"""Of several launches with one token at once, this process tries one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bff.common.errors import LaunchRefused


class Tries:
    """Which attempts are being launched in this process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: set[str] = set()

    @contextmanager
    def one(self, attempt_id: str) -> Iterator[None]:
        """The block is run by one caller at a time for each attempt. Raises ``LaunchRefused`` to others."""
        with self._lock:
            if attempt_id in self._under_way:
                raise LaunchRefused("this launch token is being used")
            self._under_way.add(attempt_id)
        try:
            yield
        finally:
            with self._lock:
                self._under_way.discard(attempt_id)
