"""A TCP proxy on a real socket between two programs, with a fault that is switched while it runs."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

CHUNK: Final = 64 * 1024
LATENCY, DRIP = 0.3, 0.05
RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
GARBAGE: Final = b"\x00\xff220 mail.example ESMTP\r\n\r\n\x16\x03"


class Fault(StrEnum):
    """What goes wrong on the way back."""

    NONE = "none"
    LATENCY = "latency"  # every piece of an answer comes late
    DRIP = "drip"  # one byte at a time, for as long as it takes
    RESET = "reset"  # the work is done; in the answer's place comes a RST
    HALF_OPEN = "half-open"  # the work is done; the answer is lost, and nobody is told
    TRUNCATED = "truncated"  # half an answer, and the end
    GARBAGE = "garbage"  # no HTTP, and no TLS
    STATUS_500 = "status 500"
    STATUS_503 = "status 503"
    STATUS_429 = "status 429"
    BLACK_HOLE = "black hole"  # connections are taken; nothing is read and nothing answered
    REFUSE = "refuse"  # nobody listens


ANSWERS: Final = {
    Fault.GARBAGE: GARBAGE,
    Fault.STATUS_500: b"HTTP/1.1 500 X\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    Fault.STATUS_503: b"HTTP/1.1 503 X\r\nRetry-After: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    Fault.STATUS_429: b"HTTP/1.1 429 X\r\nRetry-After: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
}


class FaultProxy:
    """Passes bytes on to ``upstream`` (a URL), as the current fault lets it.

    A switch cuts every connection, so that from then on the new fault is all that anybody meets.
    """

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._lock = threading.Lock()
        self._fault = Fault.NONE
        self._over = threading.Event()
        self._open: set[socket.socket] = set()
        self.accepted = 0
        self._listening: socket.socket | None = None
        self._port = 0
        self._listen()
        self.address = f"127.0.0.1:{self._port}"
        self.url = f"http://{self.address}"

    def switch(self, fault: Fault) -> None:
        """From now on this goes wrong (``Fault.NONE``: nothing)."""
        with self._lock:
            self._fault = fault
            self._over.set()
            self._over = threading.Event()
            cut, self._open = self._open, set()
            for connection in cut:
                _cut(connection)
            listening = self._listening
            if fault is Fault.REFUSE and listening is not None:
                _cut(listening)
                listening.close()
                self._listening = None
        if fault is not Fault.REFUSE and self._listening is None:
            self._listen()

    def close(self) -> None:
        """The end."""
        self.switch(Fault.REFUSE)

    def _listen(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with self._lock:
                    self.accepted += 1
                    self._open.add(connection)
                    given = (connection, self._fault, self._over)
                threading.Thread(target=self._serve, args=given, daemon=True).start()

    def _serve(self, client: socket.socket, fault: Fault, over: threading.Event) -> None:
        with client, contextlib.suppress(OSError):
            if fault is Fault.BLACK_HOLE:
                over.wait()
            elif (answer := ANSWERS.get(fault)) is not None:
                if client.recv(CHUNK):
                    client.sendall(answer)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(CHUNK):
                        pass
            else:
                self._pass_on(client, fault, over)
        with self._lock:
            self._open.discard(client)

    def _pass_on(self, client: socket.socket, fault: Fault, over: threading.Event) -> None:
        with socket.create_connection(self._upstream) as server:
            with self._lock:
                self._open.add(server)
            threading.Thread(target=_pump, args=(client, server), daemon=True).start()
            try:
                while piece := server.recv(CHUNK):
                    if not _deliver(client, piece, fault, over):
                        return
                _cut(client)
            finally:
                _cut(server)
                with self._lock:
                    self._open.discard(server)


def _deliver(client: socket.socket, piece: bytes, fault: Fault, over: threading.Event) -> bool:
    """Whether the connection goes on."""
    match fault:
        case Fault.LATENCY:
            over.wait(LATENCY)
        case Fault.DRIP:
            for byte in piece:
                client.sendall(bytes([byte]))
                if over.wait(DRIP):
                    return False
            return True
        case Fault.RESET:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            # The other thread still reads from it; before it has stopped, nothing is closed.
            client.shutdown(socket.SHUT_RD)
            return False
        case Fault.HALF_OPEN:
            over.wait()
            return False
        case Fault.TRUNCATED:
            client.sendall(piece[: len(piece) // 2])
            _cut(client)
            return False
    client.sendall(piece)
    return True


def _pump(client: socket.socket, server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := client.recv(CHUNK):
            server.sendall(piece)
    with contextlib.suppress(OSError):
        server.shutdown(socket.SHUT_WR)


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """A proxy in front of ``upstream``, until the block ends."""
    proxy = FaultProxy(upstream)
    try:
        yield proxy
    finally:
        proxy.close()
