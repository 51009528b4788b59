"""Lets one thread at a time launch an attempt in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bff.common.errors import LaunchRefused


class LaunchLocks:
    """The attempts that are being launched in this process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: set[str] = set()

    @contextmanager
    def hold(self, attempt_id: str) -> Iterator[None]:
        """Hold the attempt for the block. Raises ``LaunchRefused`` while another thread holds it."""
        with self._lock:
            if attempt_id in self._under_way:
                raise LaunchRefused("this launch token is being used")
            self._under_way.add(attempt_id)
        try:
            yield
        finally:
            with self._lock:
                self._under_way.discard(attempt_id)
