"""A longer way to a server on this machine: a TCP proxy that adds round-trip time."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

CHUNK = 65536


@dataclass
class Line:
    """Browsers call ``port``; what they send reaches the server at ``target`` half a round trip later.

    A new connection costs a round trip of its own before its first byte leaves, as TCP's handshake does:
    the proxy cannot hold back the handshake itself, so it holds back what follows. TLS is not modelled.
    """

    round_trip: float
    """In seconds."""
    port: int = 0
    target: int = 0
    connections: int = 0
    """How many have been opened so far."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until both sides have ended."""
        self.connections += 1
        open_at = asyncio.get_running_loop().time() + self.round_trip
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(OSError):
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.target)
            await asyncio.gather(
                self._carry(reader, server_writer, open_at), self._carry(server_reader, writer, 0)
            )

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, not_before: float
    ) -> None:
        loop = asyncio.get_running_loop()
        due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        sending = asyncio.create_task(self._deliver(due, writer))
        data = b"first"
        while data:
            try:
                data = await reader.read(CHUNK)
            except OSError:
                data = b""
            due.put_nowait((max(loop.time(), not_before) + self.round_trip / 2, data))
        await sending

    async def _deliver(self, due: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        loop, data = asyncio.get_running_loop(), b"first"
        with contextlib.suppress(OSError):
            while data:
                at, data = await due.get()
                await asyncio.sleep(at - loop.time())
                writer.write(data)
                await writer.drain()
        writer.close()


@contextlib.contextmanager
def line(round_trip_ms: float) -> Iterator[Line]:
    """A proxy in a thread of its own. Set its ``target`` before anybody calls."""
    made, ready = Line(round_trip_ms / 1000), threading.Event()
    loop = asyncio.new_event_loop()

    async def stop() -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def serve() -> None:
        server = await asyncio.start_server(made.accept, "127.0.0.1", 0)
        made.port = server.sockets[0].getsockname()[1]
        ready.set()

    def work() -> None:
        loop.run_until_complete(serve())
        loop.run_forever()
        loop.run_until_complete(stop())
        loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
