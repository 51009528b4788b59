"""Clients that take their time: silent connections, half heads, bodies that never come to their end."""

from __future__ import annotations

import contextlib
import resource
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import requests

SILENT: Final = b""
HALF_HEAD: Final = b"POST /connect/launch HTTP/1.1\r\nHost: {host}\r\nX-Half: "
SLOW_BODY: Final = (
    b"POST /connect/launch HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 1000\r\n\r\nlaunch_token="
)


@contextlib.contextmanager
def slow_clients(url: str, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """So many connections that each have sent this and no more, until the block ends."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    where = urlsplit(url)
    data = sent.replace(b"{host}", where.netloc.encode())
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(count):
            client = stack.enter_context(
                socket.create_connection((where.hostname or "", where.port or 80), timeout=10)
            )
            client.sendall(data)
            found.append(client)
        yield found


@dataclass
class Timed:
    """How long requests took, in seconds, by their path."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    verify: bool | str = True

    def get(self, path: str, timeout: float = 20) -> tuple[requests.Response, float]:
        """One request, on a connection of its own."""
        began = time.perf_counter()
        answer = requests.get(self.url + path, headers=self.headers, timeout=timeout, verify=self.verify)
        return answer, time.perf_counter() - began
