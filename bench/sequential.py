"""A client that asks one thing at a time, over a kept connection to each server: what one visitor waits.

``sequential.py FILE STATUS PORT [PORT ...]``: the requests of FILE (parted by a zero byte) go to the ports
in turn, so that the machine's noise meets all alike. Prints JSON: for each port the waits in milliseconds,
and what was answered with another status than STATUS. It stands apart from the rest of the bench.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from pathlib import Path


def ask(connection: socket.socket, request: bytes) -> tuple[float, bytes]:
    """How long the whole answer took, in milliseconds, and its status line."""
    began = time.perf_counter()
    connection.sendall(request)
    received = b""
    while True:
        received += connection.recv(65536)
        head, found, body = received.partition(b"\r\n\r\n")
        if found and len(body) >= _content_length(head):
            return (time.perf_counter() - began) * 1000, head.partition(b"\r\n")[0]
        if not received:
            raise ConnectionError("the server closed the connection")


def main(path: str, status: str, *ports: str) -> None:
    """Ask, and tell."""
    connections = [socket.create_connection(("127.0.0.1", int(port)), timeout=30) for port in ports]
    waits: list[list[float]] = [[] for _ in ports]
    wrong = []
    for number, request in enumerate(Path(path).read_bytes().split(b"\0")):
        whom = number % len(ports)
        wait, line = ask(connections[whom], request)
        waits[whom].append(round(wait, 4))
        if line.split(b" ")[1] != status.encode():
            wrong.append(line.decode())
    print(json.dumps({"waits": waits, "wrong": wrong}))


def _content_length(head: bytes) -> int:
    found = head.lower().partition(b"\r\ncontent-length:")[2]
    return int(found.partition(b"\r\n")[0]) if found else 0


if __name__ == "__main__":
    main(*sys.argv[1:])
