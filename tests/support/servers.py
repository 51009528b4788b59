"""WSGI apps on real sockets, for as long as a block lasts."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server


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
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield url
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
