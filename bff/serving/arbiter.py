"""gunicorn's arbiter, which keeps what works: it replaces workers only by workers that have started."""

from __future__ import annotations

import mmap
import os
import signal
import time
from typing import Any, Final

import structlog
from gunicorn.arbiter import Arbiter

from bff.serving import draining

QUICKLY: Final = frozenset({signal.SIGINT, signal.SIGQUIT})
FIRST_REST, LONGEST_REST = 1.0, 15.0
"""Seconds before a worker that could not start is started again, doubled with each failure."""
RENEWAL_SECONDS: Final = 30.0
"""So long may new workers take to start; then the old ones go on."""
NEVER: Final = 1 << 9
"""No process can end with such a status."""

log = structlog.get_logger("hitchpost.server")


class Started:
    """One flag of a worker that both it and the arbiter see: it has built its application."""

    def __init__(self) -> None:
        self._flag = mmap.mmap(-1, 1)

    def set(self) -> None:
        """The application is there."""
        self._flag[0] = 1

    def is_set(self) -> bool:
        """Whether it is."""
        return self._flag[0] == 1


class SteadyArbiter(Arbiter):  # type: ignore[misc]
    """Drains on SIGTERM, checks before it reloads, and never gives up on a worker that cannot start.

    ``app`` is a ``Server``: its ``started`` are the flags of the workers, its ``check`` says what is wrong
    with a new configuration, its ``renew`` takes it, its ``restore`` takes the old one again.
    """

    # gunicorn would stop altogether when a worker ends with one of these.
    WORKER_BOOT_ERROR = NEVER
    APP_LOAD_ERROR = NEVER

    def __init__(self, app: Any) -> None:
        self._rest = FIRST_REST
        self._not_before = 0.0
        self._ever = False
        self._leaving: set[int] = set()
        self._new: set[int] = set()
        self._until = 0.0
        super().__init__(app)

    def handle_term(self) -> None:
        """Unready at once. A second SIGTERM ends the wait; Ctrl-C and SIGQUIT end requests too."""
        draining.begin()
        until = time.monotonic() + self.app.drain_seconds
        while (left := until - time.monotonic()) > 0:
            for number in self.wait_for_signals(timeout=min(left, 0.2)):
                if number == signal.SIGTERM:
                    raise StopIteration
                if number in QUICKLY:
                    self.stop(graceful=False)
                    raise StopIteration
                if number == signal.SIGCHLD:
                    self.handle_chld()
        raise StopIteration

    def reload(self) -> None:
        """Start workers with the configuration as it is now; the old ones stay until the new have started."""
        if self._new:
            self._give_up_renewal("another reload was asked for")
        if faults := self.app.check():
            for fault in faults:
                log.error("reload refused", error=fault)
            return
        self.app.renew()
        self.setup(self.app)
        self._until = time.monotonic() + RENEWAL_SECONDS
        self._new = {self.spawn_worker() for _ in range(self.num_workers)}

    def spawn_worker(self) -> int:
        """Start one worker, with a flag of its own."""
        flag = self.app.begin_worker()
        number: int = super().spawn_worker()
        self.app.started[number] = flag
        return number

    def manage_workers(self) -> None:
        """As many workers as are wanted; of a renewal, first the new ones and then no old ones."""
        self._note_ended()
        if self._new:
            self._go_on_with_renewal()
        staying = [number for number in self.WORKERS if number not in self._leaving | self._new]
        if any(self.app.started[number].is_set() for number in staying):
            self._ever, self._rest = True, FIRST_REST
        for number in staying[: max(len(staying) - self.num_workers, 0)]:
            self._dismiss(number)
        if not self._new and time.monotonic() >= self._not_before:
            for _ in range(self.num_workers - len(staying)):
                self.spawn_worker()

    def wait_for_signals(self, timeout: float = 1.0) -> list[int]:
        """Shorter while there is something to look after."""
        busy = bool(self._new) or self._not_before > time.monotonic()
        found: list[int] = super().wait_for_signals(min(timeout, 0.1) if busy else timeout)
        return found

    def _note_ended(self) -> None:
        for number in [number for number in self.app.started if number not in self.WORKERS]:
            flag = self.app.started.pop(number)
            self._leaving.discard(number)
            if number in self._new:
                self._new.discard(number)
                self._give_up_renewal("a new worker did not start")
            elif not flag.is_set():
                self._wait_after_failure()

    def _wait_after_failure(self) -> None:
        if not self._ever and self.app.is_faulty():
            # Nobody has ever been served, and waiting would mend nothing: say so by the exit status.
            self.stop(graceful=False)
            raise SystemExit(self.app.FAULTY)
        self._not_before = time.monotonic() + self._rest
        self._rest = min(self._rest * 2, LONGEST_REST)

    def _go_on_with_renewal(self) -> None:
        if all(self.app.started[number].is_set() for number in self._new):
            old = set(self.WORKERS) - self._new - self._leaving
            self._new = set()
            self._not_before, self._rest = 0.0, FIRST_REST
            for number in old:
                self._dismiss(number)
            log.info("reloaded", workers=self.num_workers)
        elif time.monotonic() > self._until:
            self._give_up_renewal("the new workers took too long to start")

    def _give_up_renewal(self, why: str) -> None:
        log.error("reload failed", error=f"{why}; the old workers go on")
        for number in self._new:
            self._dismiss(number, signal.SIGKILL)
        self._new = set()
        self.app.restore()
        self.setup(self.app)

    def _dismiss(self, number: int, how: int = signal.SIGTERM) -> None:
        self._leaving.add(number)
        self.kill_worker(number, how)


def in_a_child(work: Any, seconds: float) -> list[str]:
    """The lines that ``work()`` answers, run in a child process so that nothing of it stays in this one.

    A child that takes longer, or ends without an answer, is a fault by itself.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(work, reading, writing, seconds)
    os.close(writing)
    with os.fdopen(reading, "rb") as answers:
        said = answers.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        return ["the new configuration could not be checked"]
    return said.splitlines()


def _answer(work: Any, reading: int, writing: int, seconds: float) -> None:
    try:
        os.close(reading)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        text = "\n".join(line.replace("\n", " ") for line in work())
        with os.fdopen(writing, "wb") as told:
            told.write(text.encode())
        os._exit(0)
    finally:
        os._exit(1)
