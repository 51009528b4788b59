"""Clients that cost a server patience, in a process of their own: ``slow_clients.py PORT HOST``.

They are there until standard input ends: 2,000 that connect and say nothing, 500 that send half a request
head, and 100 that go on byte by byte, half of them in the head and half in the body. Whom the server turns
away comes again at once. Writes ``ready`` when all have come, and at the end ``Told`` as JSON.

It needs uvloop, and stands apart from the rest of the bench: it runs in the peers' environment.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import Iterator
from typing import Final, cast

IDLE, HALF_SENT, DRIPPING = 2000, 500, 100
DRIP_SECONDS: Final = 0.5
AGAIN_SECONDS: Final = 0.05
HALF: Final = "POST /connect/launch HTTP/1.1\r\nHost: {host}\r\nX-Half: "
BODY: Final = (
    "POST /connect/launch HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    "Content-Length: 1000\r\n\r\nlaunch_token="
)


class Client(asyncio.Protocol):
    """One of them, on its present connection."""

    def __init__(self, crowd: Crowd, begins: bytes, *, drips: bool) -> None:
        self._crowd = crowd
        self._begins = begins
        self._drips = drips

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say what there is to say at once."""
        # uvloop's own is none of asyncio's classes.
        self._transport = cast("asyncio.Transport", transport)
        self._crowd.here += 1
        if self._begins:
            self._transport.write(self._begins)
        if self._drips:
            asyncio.get_running_loop().call_later(DRIP_SECONDS, self._drip)

    def connection_lost(self, _: Exception | None) -> None:
        """Come again: the server has had enough of this one."""
        self._crowd.here -= 1
        self._crowd.turned_away += 1
        self._crowd.later(Client(self._crowd, self._begins, drips=self._drips))

    def _drip(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(b"a")
            asyncio.get_running_loop().call_later(DRIP_SECONDS, self._drip)


class Crowd:
    """All of them."""

    def __init__(self, port: int, host: str) -> None:
        self._port = port
        self._half, self._body = HALF.format(host=host).encode(), BODY.format(host=host).encode()
        self._coming: set[asyncio.Task[None]] = set()
        self.here = 0
        self.turned_away = 0
        self.least = IDLE + HALF_SENT + DRIPPING

    def everybody(self) -> Iterator[Client]:
        """Each kind."""
        for _ in range(IDLE):
            yield Client(self, b"", drips=False)
        for _ in range(HALF_SENT):
            yield Client(self, self._half, drips=False)
        for number in range(DRIPPING):
            yield Client(self, self._body if number % 2 else self._half, drips=True)

    async def come(self, client: Client) -> None:
        """Connect, as often as it takes."""
        while True:
            try:
                await asyncio.get_running_loop().create_connection(lambda: client, "127.0.0.1", self._port)
            except OSError:
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return

    def later(self, client: Client) -> None:
        """Connect meanwhile."""
        task = asyncio.get_running_loop().create_task(self.come(client))
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    async def watch(self) -> None:
        """Note how few there were at the worst moment."""
        while True:
            self.least = min(self.least, self.here)
            await asyncio.sleep(DRIP_SECONDS)


async def main(port: int, host: str) -> None:
    """Come, stay until told to go, and tell."""
    crowd = Crowd(port, host)
    for client in crowd.everybody():
        await crowd.come(client)
    print("ready", flush=True)
    watch = asyncio.get_running_loop().create_task(crowd.watch())
    await asyncio.to_thread(sys.stdin.read)
    watch.cancel()
    print(json.dumps({"least": crowd.least, "turned_away": crowd.turned_away}), flush=True)


if __name__ == "__main__":
    import uvloop

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(main(int(sys.argv[1]), sys.argv[2]))
