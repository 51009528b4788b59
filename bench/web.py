"""A small web server of the bench's own: pages of a host, or what a partner service answers."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    """``at``: when it arrived, in seconds since the epoch."""

    method: str
    target: str
    body: bytes
    at: float


@dataclass(frozen=True)
class Answer:
    """What is sent back, after ``delay`` seconds."""

    body: bytes
    kind: str = "text/html; charset=utf-8"
    cache: str = "no-store"
    delay: float = 0.0


@contextlib.contextmanager
def web(answer: Callable[[Request], Answer | None]) -> Iterator[int]:
    """Serve on a free port of this machine, which is yielded. None is answered by 404."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Else a body would wait for the acknowledgement of its head.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            """Any request."""
            at = time.time()
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found = answer(Request(self.command, self.path, body, at))
            said = found or Answer(b"")
            if said.delay:
                # The delay that is asked for, nothing that anybody waits on.
                time.sleep(said.delay)
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", said.kind)
            self.send_header("Cache-Control", said.cache)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        do_POST = do_GET  # noqa: N815  # named by the library

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
