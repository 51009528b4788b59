"""gunicorn's gevent worker, with an end to every wait for a client: a slow client costs a little memory.

The standard library is patched in the worker's process only, after the fork and before the application is
imported there. Nothing of this module may be used where the application runs inside a host's own server.
"""

from __future__ import annotations

import resource
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
"""So long may a client take for a whole request head, and be silent between two requests."""
CROWDED_SECONDS: Final = 2.0
"""The same while most connections are taken: who is silent makes room for who is not."""
CROWDED_SHARE: Final = 0.8
BODY_SECONDS: Final = 30.0
"""So long may a whole request body take."""
STALLED_SECONDS: Final = 30.0
"""So long may a client take nothing of an answer."""
LINGER_SECONDS: Final = 2.0
"""So long does a stopping worker wait for a request that may be on its way."""
TICK_SECONDS: Final = 0.2
SPARE_FILES: Final = 256
"""Open files of a worker that are no clients: databases, calls to others, its own."""


class ClientTooSlow(TimeoutError):
    """A client did not send in time what it had begun to send."""


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
        """Make the standard library's waits give way to other requests. Sockets are opened anew as such."""
        # Neither signals nor child processes: the worker starts none.
        monkey.patch_all(signal=False, subprocess=False)
        self.sockets = [
            socket.socket(each.FAMILY, socket.SOCK_STREAM, fileno=each.sock.detach()) for each in self.sockets
        ]

    def init_process(self) -> None:
        """Allow as many open files as there may be connections; patch; then load the application."""
        self.worker_connections = min(self.worker_connections, max(_open_files() - SPARE_FILES, 64))
        self.patch()
        hub.reinit()
        # gunicorn's own would patch everything once more.
        super(GeventWorker, self).init_process()

    def load_wsgi(self) -> None:
        """Load the application; whoever reads a body in it has an end to the wait."""
        super().load_wsgi()
        self.wsgi = self._with_an_end(self.wsgi)

    def run(self) -> None:
        """Accept connections until told to stop; then let what was begun finish."""
        servers = [self._listen(each) for each in self.sockets]
        while self.alive:
            self.notify()
            gevent.sleep(TICK_SECONDS)  # house-allow: sleep: the requests go on meanwhile
        for server in servers:
            server.close()
        self._finish()

    def timeout_ctx(self) -> _Waiting:
        """Around the wait for a request and the reading of its head."""
        taken = sum(len(pool) for pool in self._pools)
        crowded = taken > CROWDED_SHARE * self.worker_connections
        return _Waiting(self._waiting, CROWDED_SECONDS if crowded else HEAD_SECONDS, False)

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """One connection, with all its requests."""
        client.settimeout(STALLED_SECONDS)
        AsyncWorker.handle(self, listener, client, addr)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """One request, after whoever is ready to go on as well."""
        # A client whose next request is always there already would never let anybody else run.
        gevent.sleep(0)  # house-allow: sleep: it gives way, and waits for nothing
        try:
            super().handle_request(listener_name, req, sock, addr)
        except TimeoutError:
            # It takes no more of its answer; there is nobody to tell.
            raise StopIteration from None

    def _with_an_end(self, app: Callable[[dict[str, Any], Any], Any]) -> Callable[[dict[str, Any], Any], Any]:
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
    """While a greenlet waits for its client: for so long at most; a worker that stops may end it."""

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
    """As many open files as this process may have, after asking for all that it may ask for."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if now != most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most if most != resource.RLIM_INFINITY else 1 << 20
