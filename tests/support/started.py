"""Hitchpost's programs as an operator starts them, each a process with its own log."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.support.waiting import wait_for

ROOT = Path(__file__).parents[2]


@dataclass
class Program:
    """A started program; it answers at ``health`` once it is ready."""

    process: subprocess.Popen[bytes]
    log: Path
    health: str

    def wait_until_ready(self, seconds: float = 120.0) -> None:
        """Wait until it answers. Fails with its log when it has stopped."""
        wait_for(self._answers, seconds)

    def stop(self) -> None:
        """Stop it in order, its workers with it."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(30)

    def kill(self) -> None:
        """End it and its workers at once, where nothing is left to be looked at."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text(errors="replace")[-4000:]
        try:
            return requests.get(self.health, timeout=10).ok
        except requests.RequestException:
            return False


@contextlib.contextmanager
def started(
    arguments: list[str], environment: Mapping[str, str], *, log: Path, health: str
) -> Iterator[Program]:
    """``python -m ARGUMENTS``; whether it is ready, its user asks."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HITCHPOST_")}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env={**clean, "PYTHONPATH": str(ROOT), **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            cwd=ROOT,
        )
    program = Program(process, log, health)
    try:
        yield program
    finally:
        program.stop()
