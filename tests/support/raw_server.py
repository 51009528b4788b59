"""A server on a raw socket that answers as it is told to: well, badly, or not at all."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator

from bff.common.secret import Secret
from bff.identity.principal import AccountRef
from bff.outbound.client import MAX_BODY_BYTES, Limits
from bff.upstream.client import PartnerClient

ACCOUNT = AccountRef("acme", "Acme")
QUICK = Limits(connect=1.0, read=0.5, total=1.0)
HURRIED = Limits(connect=0.3, read=0.2, total=0.3)
"""For calls that no answer is expected of."""
CLIENT_SECRET = "a-secret-that-nobody-may-see"
ACCESS_TOKEN = "an-access-token-that-nobody-may-see"

Play = Callable[[socket.socket, bytes, threading.Event], None]


@contextlib.contextmanager
def play(act: Play) -> Iterator[tuple[str, list[bytes]]]:
    """A server on a raw socket: ``act`` gets each connection with its request; yields URL and requests."""
    over, requests = threading.Event(), []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                while (request := _read_request(connection)) is not None:
                    requests.append(request)
                    act(connection, request, over)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", requests
        over.set()


def _read_request(connection: socket.socket) -> bytes | None:
    data = b""
    while b"\r\n\r\n" not in data:
        received = connection.recv(65536)
        if not received:
            return None
        data += received
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ),
        0,
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def send(connection: socket.socket, status: int, body: bytes, *headers: str) -> None:
    """A whole answer."""
    lines = [
        f"HTTP/1.1 {status} X",
        f"Content-Length: {len(body)}",
        "Content-Type: application/json",
        *headers,
    ]
    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def answers(status: int, body: bytes, *headers: str) -> Play:
    """Always the same answer."""
    return lambda connection, _request, _over: send(connection, status, body, *headers)


def drip(connection: socket.socket, start: bytes, over: threading.Event) -> None:
    """One byte at a time, more often than a read may take, until the test is over."""
    connection.sendall(start)
    while not over.wait(0.05):
        connection.sendall(b"a")


def hangs(_connection: socket.socket, _request: bytes, over: threading.Event) -> None:
    """No answer at all."""
    over.wait()


FAULTS: dict[str, Play] = {
    "hangs": hangs,
    "drips headers": lambda connection, _, over: drip(connection, b"HTTP/1.1 200 OK\r\nX-A: ", over),
    "drips a body": lambda connection, _, over: drip(
        connection, b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", over
    ),
    "sends too much": answers(200, b" " * (MAX_BODY_BYTES + 1)),
    "sends a bomb": answers(200, gzip.compress(b" " * (MAX_BODY_BYTES * 20)), "Content-Encoding: gzip"),
    "redirects": answers(302, b"", "Location: http://127.0.0.1:1/elsewhere"),
    "fails": answers(500, b'{"Message": "An error has occurred."}'),
    "speaks no HTTP": lambda connection, _, __: connection.sendall(b"220 mail.example ESMTP\r\n\r\n"),
    "hangs up": lambda connection, _, __: connection.shutdown(socket.SHUT_RDWR),
}


class Api:
    """A partner service that refuses its first bearer tokens, as many as it is told to, at every call."""

    def __init__(self, *, refuse: int = 0, expires_in: object = 1209599) -> None:
        self.refuse = refuse
        self.expires_in = expires_in
        self.tokens = 0
        self.lock = threading.Lock()

    def __call__(self, connection: socket.socket, request: bytes, _over: threading.Event) -> None:
        """Answer one request."""
        if request.startswith(b"POST /oauth/token"):
            with self.lock:
                self.tokens += 1
                token = {"access_token": f"{ACCESS_TOKEN}-{self.tokens}", "expires_in": self.expires_in}
            send(connection, 200, json.dumps(token).encode())
            return
        number = re.search(rb"Bearer [^\r]*-(\d+)\r", request)
        refused = number is not None and int(number[1]) <= self.refuse
        send(connection, 401 if refused else 200, b'{"Message": "no"}' if refused else b"[]")


def client_of(url: str) -> PartnerClient:
    """A client with limits that suit a test."""
    return PartnerClient(url, "id", Secret(CLIENT_SECRET), Limits(1.0, 5.0, 10.0))
