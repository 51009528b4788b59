"""A port that nobody else is given until whoever it is kept for listens on it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator


@contextlib.contextmanager
def held_port() -> Iterator[int]:
    """A port of 127.0.0.1, held by a socket that does not listen until the block ends.

    The system gives it to nobody who asks for any port; a program that asks for this one, with
    ``SO_REUSEADDR`` as Node.js and Python's servers have it, can listen on it meanwhile.
    """
    with socket.socket() as holding:
        holding.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holding.bind(("127.0.0.1", 0))
        yield holding.getsockname()[1]
