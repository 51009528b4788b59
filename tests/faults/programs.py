"""Real processes that can be killed and started again on the same ports."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import requests

from tests.support.postgresql import PostgresqlServer

PATIENCE: Final = 60.0
ROOT: Final = Path(__file__).parents[2]


def python_path() -> str:
    """Where programs find the code under test."""
    return os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])


class DidNotStart(Exception):
    """A program does not answer; the text has the end of its log."""


def wait_until(condition: Callable[[], bool], said: Callable[[], str]) -> None:
    """Wait for a condition. Raises ``DidNotStart``."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise DidNotStart(said())
        time.sleep(0.05)


@dataclass
class Program:
    """One of ours. ``health`` answers when it is ready."""

    module: list[str]
    environment: dict[str, str]
    health: str
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.module],
                env=os.environ | self.environment | {"PYTHONPATH": python_path()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self.answers, lambda: self.log.read_text(errors="replace")[-3000:])

    def answers(self) -> bool:
        """Whether it does."""
        with contextlib.suppress(requests.RequestException):
            return requests.get(self.health, timeout=2).ok
        return False

    def kill(self) -> None:
        """Kill -9, with all its workers."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def kill_a_worker(self) -> None:
        """Kill -9 of its first worker; it starts another by itself."""
        assert self.process is not None
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        if found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(found[0]), signal.SIGKILL)
        wait_until(self.answers, lambda: "no worker answers")


def kill_database(server: PostgresqlServer) -> None:
    """Kill -9 of the first process; the others notice, and end."""
    os.kill(server.process_id, signal.SIGKILL)


def restart_database(server: PostgresqlServer) -> None:
    """Start it again; what it finds in its log it repeats."""

    def started() -> bool:
        # While a process of the killed one still ends, its memory is in use.
        with contextlib.suppress(AssertionError):
            server.start()
            return True
        return False

    wait_until(started, lambda: (server.folder / "log").read_text(errors="replace")[-3000:])


@dataclass
class Killable:
    """What can be killed, and how it comes back."""

    name: str
    kill: Callable[[], None]
    restart: Callable[[], None]


@dataclass
class Stack:
    """Everything that runs: the three programs, and their databases."""

    bff: str
    partner: str
    sandbox: str
    programs: dict[str, Program]
    bff_database: str
    partner_database: str
    killables: list[Killable]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def stop(self) -> None:
        """The end of all."""
        for program in self.programs.values():
            program.kill()
