"""A TCP relay in front of programs, in turn: ``python -m tests.support.relay LISTEN SECONDS BACKEND...``.

Each connection goes to the next backend (``host:port``). What a client sends is held back for so many
seconds, as a service far away would have it; answers are not.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import ssl
import sys
import threading
from collections.abc import Iterator, Sequence

CHUNK = 64 * 1024


class Relay:
    """Passes connections on. ``served`` counts them by backend; ``port`` is where ``relayed`` listens."""

    port = 0

    def __init__(self, backends: Sequence[str], seconds: float = 0.0) -> None:
        self._turns = itertools.cycle(backends)
        self._seconds = seconds
        self.served = dict.fromkeys(backends, 0)

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        backend = next(self._turns)
        self.served[backend] += 1
        host, _, port = backend.partition(":")
        try:
            behind = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.transport.abort()
            return
        there = asyncio.create_task(self._pump(reader, behind[1], self._seconds))
        back = asyncio.create_task(self._pump(behind[0], writer, 0.0))
        await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        for task in (there, back):
            task.cancel()
        for side in (writer, behind[1]):
            side.close()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, seconds: float) -> None:
        held: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        clock = asyncio.get_running_loop().time

        async def take_in() -> None:
            while data := await source.read(CHUNK):
                held.put_nowait((clock() + seconds, data))
            held.put_nowait((clock() + seconds, b""))

        taking = asyncio.create_task(take_in())
        try:
            with contextlib.suppress(ConnectionError):
                while (due := await held.get())[1]:
                    if (left := due[0] - clock()) > 0:
                        await asyncio.sleep(left)
                    sink.write(due[1])
                    await sink.drain()
        finally:
            taking.cancel()


@contextlib.contextmanager
def relayed(backends: Sequence[str], port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Relay]:
    """A relay on ``port`` of this machine (0: a free one), in a thread, for as long as the block lasts.

    With ``tls`` it speaks TLS to clients, and plain to the backends.
    """
    relay, loop = Relay(backends), asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(relay.pass_on, "127.0.0.1", port, ssl=tls))
    relay.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _run(port: int, seconds: float, backends: Sequence[str]) -> None:
    server = await asyncio.start_server(Relay(backends, seconds).pass_on, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
