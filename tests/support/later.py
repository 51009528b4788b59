"""A ``Submit`` whose work is done when the test says so, by the test's own thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from bff.common.background import T


class Later:
    """Keeps what is to be done; what was cancelled meanwhile never starts."""

    def __init__(self) -> None:
        self.queue: list[tuple[Future[Any], Callable[[], Any]]] = []

    def __call__(self, work: Callable[[], T]) -> Future[T]:
        """It queues."""
        future: Future[T] = Future()
        self.queue.append((future, work))
        return future

    def start(self) -> Callable[[], None]:
        """Begin the next; it is under way until what is answered here is called."""
        future, work = self.queue.pop(0)
        if not future.set_running_or_notify_cancel():
            return lambda: None

        def finish() -> None:
            try:
                future.set_result(work())
            except Exception as error:  # noqa: BLE001  # kept for whoever asks for the result
                future.set_exception(error)

        return finish

    def run(self) -> None:
        """Do all of it."""
        while self.queue:
            self.start()()
