"""WSGI apps on real sockets, for as long as a block lasts."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_arguments: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serve(build: Callable[[str], Any]) -> Iterator[str]:
    """Serve ``build(url)`` on a free port of this machine; yields its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = make_server(
            "127.0.0.1", 0, build(url), threaded=True, fd=listening.fileno(), request_handler=_Quiet
        )
        over = threading.Event()
        thread = threading.Thread(target=_answer, args=(server, over), daemon=True)
        thread.start()
        try:
            yield url
        finally:
            over.set()
            # Whoever waits for a request is woken by one, sooner than by looking from time to time.
            socket.create_connection(listening.getsockname()).close()
            thread.join()
            server.server_close()


def _answer(server: BaseWSGIServer, over: threading.Event) -> None:
    while not over.is_set():
        server.handle_request()
