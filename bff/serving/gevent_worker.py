"""A gunicorn gevent worker with timeouts for clients, so that a slow client costs only a little memory.

gevent patches the standard library in the worker process only: after the fork, before the application is
imported. Do not use this module where the application runs in a host's own server.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import gevent
from gevent import hub, monkey, socket
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn.workers.base_async import AsyncWorker
from gunicorn.workers.ggevent import GeventWorker

from bff.serving.edge import CLIENT_WAIT

HEAD_SECONDS: Final = 15.0
"""Timeout for reading a request head, and for an idle connection between two requests."""
CROWDED_SECONDS: Final = 2.0
"""Replaces ``HEAD_SECONDS`` while most connections are in use, so that idle ones are closed soon."""
CROWDED_SHARE: Final = 0.8
"""Share of the connections in use from which on the worker is crowded."""
BODY_SECONDS: Final = 30.0
"""Timeout for reading a whole request body."""
STALLED_SECONDS: Final = 30.0
"""Timeout for each write to a client that does not read its response."""
LINGER_SECONDS: Final = 2.0
"""How long a stopping worker waits for requests that clients may still be sending."""
TICK_SECONDS: Final = 0.2
SPARE_FILES: Final = 256
"""Open files reserved for other uses than clients: databases, outgoing calls, the worker's own."""


class ClientTooSlow(TimeoutError):
    """A client did not send the rest of its request in time."""


class CooperativeWorker(GeventWorker):  # type: ignore[misc]
    """Serves each connection in a greenlet."""

    sockets: list[Any]
    worker_connections: int
    wsgi: Callable[[dict[str, Any], Any], Any]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._pools: list[Pool] = []
        self._waiting: set[gevent.Greenlet] = set()

    def patch(self) -> None:
        """Patch the standard library, and replace the listening sockets by gevent's."""
        # With classes of the unpatched ssl, every call of these over TLS would end in a RecursionError.
        if early := sorted({"requests", "urllib3"} & sys.modules.keys()):
            raise RuntimeError(f"imported before gevent patches ssl: {', '.join(early)}")
        # Signals and subprocesses are left out: the worker starts no subprocess.
        monkey.patch_all(signal=False, subprocess=False)
        self.sockets = [
            socket.socket(each.FAMILY, socket.SOCK_STREAM, fileno=each.sock.detach()) for each in self.sockets
        ]

    def init_process(self) -> None:
        """Limit the connections to the open files allowed, patch, and load the application."""
        self.worker_connections = min(self.worker_connections, max(_open_files() - SPARE_FILES, 64))
        self.patch()
        hub.reinit()
        # Skips GeventWorker.init_process, which would patch everything again.
        super(GeventWorker, self).init_process()

    def load_wsgi(self) -> None:
        """Load the application, and give it the timeout for reading request bodies."""
        super().load_wsgi()
        self.wsgi = self._with_body_timeout(self.wsgi)

    def run(self) -> None:
        """Accept connections until stopped, then let the requests in progress finish."""
        servers = [self._listen(each) for each in self.sockets]
        while self.alive:
            self.notify()
            gevent.sleep(TICK_SECONDS)  # house-allow: sleep: the requests go on meanwhile
        for server in servers:
            server.close()
        self._finish()

    def timeout_ctx(self) -> _Waiting:
        """The timeout for the wait for a request and the reading of its head."""
        in_use = sum(len(pool) for pool in self._pools)
        crowded = in_use > CROWDED_SHARE * self.worker_connections
        return _Waiting(self._waiting, CROWDED_SECONDS if crowded else HEAD_SECONDS, False)

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Handle one connection and all its requests."""
        client.settimeout(STALLED_SECONDS)
        AsyncWorker.handle(self, listener, client, addr)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Handle one request, after other greenlets that are ready have run."""
        # A client that pipelines requests would otherwise never yield to the others.
        gevent.sleep(0)  # house-allow: sleep: it gives way, and waits for nothing
        try:
            super().handle_request(listener_name, req, sock, addr)
        except TimeoutError:
            # The client does not read its response, so no error can be sent.
            raise StopIteration from None

    def _with_body_timeout(
        self, app: Callable[[dict[str, Any], Any], Any]
    ) -> Callable[[dict[str, Any], Any], Any]:
        def bounded(environ: dict[str, Any], start_response: Any) -> Any:
            environ[CLIENT_WAIT] = lambda: _Waiting(self._waiting, BODY_SECONDS, ClientTooSlow)
            return app(environ, start_response)

        return bounded

    def _listen(self, listener: Any) -> StreamServer:
        listener.setblocking(1)
        pool = Pool(self.worker_connections)
        server = StreamServer(listener, handle=lambda *client: self.handle(listener, *client), spawn=pool)
        if self.cfg.workers > 1:
            server.max_accept = 1
        self._pools.append(pool)
        server.start()
        return server

    def _finish(self) -> None:
        began = time.monotonic()
        while any(self._pools) and time.monotonic() < began + self.cfg.graceful_timeout:
            if time.monotonic() > began + LINGER_SECONDS:
                for greenlet in list(self._waiting):
                    greenlet.kill(StopIteration, block=False)
            self.notify()
            gevent.sleep(TICK_SECONDS / 4)  # house-allow: sleep: the last requests go on meanwhile
        if any(self._pools):
            self.log.warning("requests were cut off: they took longer than the time to stop")
            for pool in self._pools:
                pool.kill(block=True, timeout=1)


class _Waiting:
    """Context manager of a greenlet's wait for its client: a timeout, which a stopping worker may shorten.

    Raises ``error`` after ``seconds``; with ``error`` False, the block ends silently.
    """

    def __init__(self, waiting: set[gevent.Greenlet], seconds: float, error: Any) -> None:
        self._waiting = waiting
        self._timeout = gevent.Timeout(seconds, error)
        self._silent = error is False

    def __enter__(self) -> None:
        self._waiting.add(gevent.getcurrent())
        self._timeout.start()

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        self._timeout.close()
        self._waiting.discard(gevent.getcurrent())
        return error is self._timeout and self._silent


def _open_files() -> int:
    """Raise the soft limit of open files to the hard limit, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else 1 << 20
