"""A private Redis server, for as long as a block lasts, on a socket in a folder of its own."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.support.waiting import wait_for


class NoRedis(Exception):
    """There is no server on this machine. The text says what to install."""


@dataclass
class RedisServer:
    """A server that can be stopped and started again; what it held is gone then."""

    program: str
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens, as the ``limits`` library writes it."""
        return f"redis+unix://{self.folder}/socket"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [self.program, "--port", "0", "--unixsocket", "socket", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL)
        wait_for(self._answers)

    def stop(self) -> None:
        """Stop it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def _answers(self) -> bool:
        with contextlib.closing(redis.Redis(unix_socket_path=f"{self.folder}/socket")) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False


@contextlib.contextmanager
def private_redis() -> Iterator[RedisServer]:
    """Start a server. Raises ``NoRedis``."""
    program = shutil.which("redis-server")
    if program is None:
        raise NoRedis("no Redis server here; on Debian: apt-get install redis-server")
    folder = Path(tempfile.mkdtemp(prefix="hitchpost-redis-", dir="/tmp"))
    server = RedisServer(program, folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
