"""A server that is measured: started, ready, its CPU time and memory with all its workers', stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PATIENCE: Final = 60.0
TICKS: Final = os.sysconf("SC_CLK_TCK")
UTIME, STIME = 11, 12
"""Their places in /proc/PID/stat behind the command's name (proc(5))."""


class NotServing(Exception):
    """A server that should run does not; the text has the end of its log."""


@dataclass(frozen=True)
class Server:
    """A running program. ``name`` is what the results call it."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    port: int

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def family(self) -> list[int]:
        """The process and all that come from it."""
        found = [self.process.pid]
        for one in found:
            with contextlib.suppress(OSError):  # gone meanwhile
                for task in Path(f"/proc/{one}/task").iterdir():
                    found += [int(child) for child in (task / "children").read_text().split()]
        return found

    def cpu_seconds(self) -> float:
        """User and system time so far, of all its processes that are alive."""
        return sum(map(_cpu_seconds, self.family()))

    def memory_bytes(self) -> int:
        """Proportional set size of all its processes: what they share counts once."""
        return sum(map(_proportional_bytes, self.family()))

    def require_alive(self) -> None:
        """Raises ``NotServing`` when it has ended."""
        if self.process.poll() is not None:
            said = self.log.read_text(errors="replace")[-4000:]
            raise NotServing(f"{self.name} ended with status {self.process.returncode}:\n{said}")

    def stop(self) -> None:
        """Ask it to stop, and wait until it has."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PATIENCE)


@contextlib.contextmanager
def serving(
    name: str,
    command: Sequence[str | Path],
    *,
    port: int,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
) -> Iterator[Server]:
    """Run ``command`` until the block ends; it takes connections on ``port`` when the block begins.

    It gets ``environment`` beside the bench's own, without any setting of Hitchpost's from there.
    """
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HITCHPOST_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            env=clean | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=folder,
        )
    server = Server(name, process, log, port)
    try:
        wait_until(lambda: _takes_connections(server), f"{name} takes no connections; see {log}")
        yield server
    finally:
        server.stop()


def wait_until(look: Callable[[], bool], otherwise: str, seconds: float = PATIENCE) -> None:
    """Wait until ``look()`` is true. Raises ``NotServing`` with the text ``otherwise``."""
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            raise NotServing(otherwise)
        time.sleep(0.02)


def idle_seconds() -> float:
    """CPU time that all cores together have had nothing to do for since the machine started."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return (int(fields[4]) + int(fields[5])) / TICKS


def _takes_connections(server: Server) -> bool:
    server.require_alive()
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=5):
        return True
    return False


def _cpu_seconds(pid: int) -> float:
    with contextlib.suppress(OSError):
        # The command's name stands in brackets, and may itself hold blanks and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[UTIME]) + int(fields[STIME])) / TICKS
    return 0.0


def _proportional_bytes(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
