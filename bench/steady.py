"""A client that keeps to its own time: what a server's visitors wait when they come at a steady rate.

``steady.py PORT FILE RATE SECONDS STATUS``: sends the requests of FILE (parted by a zero byte), again from
the first after the last, RATE a second, over as many kept connections as it needs. A wait is counted from the
moment when the request was due, so that a server which stands still is not asked less. Prints JSON: ``waits``
(milliseconds, in order), ``wrong`` (answers with another status), ``unanswered``.

It needs uvloop, and stands apart from the rest of the bench: it runs in the peers' environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Final, cast

PATIENCE: Final = 30.0


class Line(asyncio.Protocol):
    """One kept connection, with at most one request under way."""

    def __init__(self, visitors: Visitors) -> None:
        self._visitors = visitors
        self._received = b""
        self._due = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        # uvloop's own class is none of asyncio's.
        self.transport = cast("asyncio.Transport", transport)

    def send(self, request: bytes, due: float) -> None:
        """Ask; ``due`` is when it should have been asked."""
        assert self.transport is not None
        self._due = due
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """The answer is whole when its length is there."""
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if found and len(body) >= _content_length(head):
            self._received = b""
            self._visitors.answered(self, head, self._due)


class Visitors:
    """All of them."""

    def __init__(self, port: int, requests: list[bytes], status: bytes) -> None:
        self._port = port
        self._requests = requests
        self._status = status
        self._free: list[Line] = []
        self._under_way = 0
        self._last = False
        self._all_answered = asyncio.Event()
        self.waits: list[float] = []
        self.wrong: list[str] = []

    async def come(self, rate: float, seconds: float) -> None:
        """Send at ``rate`` for ``seconds``, then wait for what is still under way."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(round(rate * seconds)):
            due = began + number / rate
            if (early := due - loop.time()) > 0:
                await asyncio.sleep(early)
            line = self._free.pop() if self._free else await self._connect()
            self._under_way += 1
            line.send(self._requests[number % len(self._requests)], due)
        self._last = True
        if self._under_way:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_answered.wait(), PATIENCE)

    @property
    def unanswered(self) -> int:
        """Requests that have no answer yet."""
        return self._under_way

    def answered(self, line: Line, head: bytes, due: float) -> None:
        """A whole answer has come."""
        self._under_way -= 1
        self._free.append(line)
        self.waits.append((asyncio.get_running_loop().time() - due) * 1000)
        if self._last and not self._under_way:
            self._all_answered.set()
        if head.split(b" ", 2)[1] != self._status:
            self.wrong.append(head.partition(b"\r\n")[0].decode())

    async def _connect(self) -> Line:
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(lambda: Line(self), "127.0.0.1", self._port)
        return line


def _content_length(head: bytes) -> int:
    found = head.lower().partition(b"\r\ncontent-length:")[2]
    return int(found.partition(b"\r\n")[0]) if found else 0


async def main(requests: list[bytes], port: int, rate: float, seconds: float, status: str) -> None:
    """Load, and tell."""
    visitors = Visitors(port, requests, status.encode())
    await visitors.come(rate, seconds)
    told = {
        "waits": [round(wait, 3) for wait in visitors.waits],
        "wrong": visitors.wrong,
        "unanswered": visitors.unanswered,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    import uvloop

    port, path, rate, seconds, status = sys.argv[1:]
    asked = Path(path).read_bytes().split(b"\0")
    uvloop.run(main(asked, int(port), float(rate), float(seconds), status))
