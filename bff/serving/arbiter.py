"""A gunicorn arbiter that keeps the old workers on a reload until the new ones have started."""

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
"""Minimum and maximum seconds before a failed worker is started again; doubled with each failure."""
RENEWAL_SECONDS: Final = 30.0
"""How long new workers may take to start. Then the reload fails, and the old workers stay."""
NEVER: Final = 1 << 9
"""A status with which no process can exit."""

log = structlog.get_logger("hitchpost.server")


class Started:
    """A flag in memory shared by a worker and the arbiter: the worker has built its application."""

    def __init__(self) -> None:
        self._flag = mmap.mmap(-1, 1)

    def set(self) -> None:
        """Set the flag."""
        self._flag[0] = 1

    def is_set(self) -> bool:
        """Whether the flag is set."""
        return self._flag[0] == 1


class SteadyArbiter(Arbiter):  # type: ignore[misc]
    """Drains on SIGTERM, checks the configuration before a reload, and restarts workers that fail to start.

    ``app`` is a ``Server``. ``started`` has the flags of its workers, ``check`` returns the faults of a new
    configuration, ``renew`` loads it, and ``restore`` returns to the previous one.
    """

    # gunicorn stops when a worker exits with one of these.
    WORKER_BOOT_ERROR = NEVER
    APP_LOAD_ERROR = NEVER

    def __init__(self, app: Any) -> None:
        self._rest = FIRST_REST
        self._not_before = 0.0
        self._ever_started = False
        self._leaving: set[int] = set()
        self._new: set[int] = set()
        self._renewal_deadline = 0.0
        super().__init__(app)

    def handle_term(self) -> None:
        """Become unready, wait ``drain_seconds``, then stop.

        A second SIGTERM ends the wait. SIGINT and SIGQUIT stop at once, without waiting for requests.
        """
        draining.begin()
        deadline = time.monotonic() + self.app.drain_seconds
        while (left := deadline - time.monotonic()) > 0:
            for signal_number in self.wait_for_signals(timeout=min(left, 0.2)):
                if signal_number == signal.SIGTERM:
                    raise StopIteration
                if signal_number in QUICKLY:
                    self.stop(graceful=False)
                    raise StopIteration
                if signal_number == signal.SIGCHLD:
                    self.handle_chld()
        raise StopIteration

    def reload(self) -> None:
        """Start workers with the current configuration. The old ones stay until all new ones have started."""
        if self._new:
            self._give_up_renewal("another reload was requested")
        if faults := self.app.check():
            for fault in faults:
                log.error("reload refused", error=fault)
            return
        self.app.renew()
        self.setup(self.app)
        self._renewal_deadline = time.monotonic() + RENEWAL_SECONDS
        self._new = {self.spawn_worker() for _ in range(self.num_workers)}

    def spawn_worker(self) -> int:
        """Start one worker with its own flag; return its process id."""
        flag = self.app.begin_worker()
        pid: int = super().spawn_worker()
        self.app.started[pid] = flag
        return pid

    def manage_workers(self) -> None:
        """Start or stop workers until there are ``num_workers``, and continue a reload in progress."""
        self._note_ended()
        if self._new:
            self._continue_renewal()
        staying = [pid for pid in self.WORKERS if pid not in self._leaving | self._new]
        if any(self.app.started[pid].is_set() for pid in staying):
            self._ever_started, self._rest = True, FIRST_REST
        for pid in staying[: max(len(staying) - self.num_workers, 0)]:
            self._dismiss(pid)
        if not self._new and time.monotonic() >= self._not_before:
            for _ in range(self.num_workers - len(staying)):
                self.spawn_worker()

    def wait_for_signals(self, timeout: float = 1.0) -> list[int]:
        """Wait at most 0.1 seconds while a reload or a delayed start is pending."""
        is_pending = bool(self._new) or self._not_before > time.monotonic()
        signals: list[int] = super().wait_for_signals(min(timeout, 0.1) if is_pending else timeout)
        return signals

    def _note_ended(self) -> None:
        """Forget workers that have exited, and react to those that did not start."""
        for pid in [pid for pid in self.app.started if pid not in self.WORKERS]:
            flag = self.app.started.pop(pid)
            self._leaving.discard(pid)
            if pid in self._new:
                self._new.discard(pid)
                self._give_up_renewal("a new worker did not start")
            elif not flag.is_set():
                self._wait_after_failure()

    def _wait_after_failure(self) -> None:
        if not self._ever_started and self.app.is_faulty():
            # No worker has ever started and a retry cannot help, so exit with a status that says so.
            self.stop(graceful=False)
            raise SystemExit(self.app.FAULTY)
        self._not_before = time.monotonic() + self._rest
        self._rest = min(self._rest * 2, LONGEST_REST)

    def _continue_renewal(self) -> None:
        if all(self.app.started[pid].is_set() for pid in self._new):
            old = set(self.WORKERS) - self._new - self._leaving
            self._new = set()
            self._not_before, self._rest = 0.0, FIRST_REST
            for pid in old:
                self._dismiss(pid)
            log.info("reloaded", workers=self.num_workers)
        elif time.monotonic() > self._renewal_deadline:
            self._give_up_renewal("the new workers took too long to start")

    def _give_up_renewal(self, why: str) -> None:
        log.error("reload failed", error=f"{why}; the old workers go on")
        for pid in self._new:
            self._dismiss(pid, signal.SIGKILL)
        self._new = set()
        self.app.restore()
        self.setup(self.app)

    def _dismiss(self, pid: int, how: int = signal.SIGTERM) -> None:
        self._leaving.add(pid)
        self.kill_worker(pid, how)


def in_a_child(work: Any, seconds: float) -> list[str]:
    """Run ``work()`` in a child process and return its lines, so that it leaves no state in this one.

    Returns one fault if the child takes longer than ``seconds`` or fails.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(work, reading, writing, seconds)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        output = pipe.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        return ["the new configuration could not be checked"]
    return output.splitlines()


def _answer(work: Any, reading: int, writing: int, seconds: float) -> None:
    try:
        os.close(reading)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        text = "\n".join(line.replace("\n", " ") for line in work())
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(text.encode())
        os._exit(0)
    finally:
        os._exit(1)
