"""Lets one thread at a time launch an attempt in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bff.common.errors import LaunchPostponed


class LaunchLocks:
    """The attempts that are being launched in this process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: set[str] = set()

    @contextmanager
    def hold(self, attempt_id: str) -> Iterator[None]:
        """Hold the attempt for the block. Raises ``LaunchPostponed`` while another thread holds it.

        It is the same error as while another process tries the launch: the try that holds the attempt may end
        postponed, and then the launch token is still good.
        """
        with self._lock:
            if attempt_id in self._under_way:
                raise LaunchPostponed("this launch is being tried already")
            self._under_way.add(attempt_id)
        try:
            yield
        finally:
            with self._lock:
                self._under_way.discard(attempt_id)
