"""A gunicorn thread worker in which idle connections hold no thread, and health checks have own threads."""

from __future__ import annotations

import errno
import selectors
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from gunicorn.workers.gthread import TConn, ThreadWorker

HEALTH: Final = (b"GET /health/", b"HEAD /health/")
HEALTH_THREADS: Final = 2
_LOOKED_AT: Final = max(map(len, HEALTH))


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """Gives a connection a thread when its first byte has arrived.

    A request that arrives slowly holds its thread, so a proxy that buffers requests belongs in front.
    """

    def init_process(self) -> None:
        """Start the threads for health checks, which answer while all others are busy."""
        self._health = ThreadPoolExecutor(HEALTH_THREADS, thread_name_prefix="health")
        super().init_process()

    def accept(self, listener: Any) -> None:
        """Accept a connection, and wait for its first byte without a thread."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in {errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK}:
                raise
            return
        self.nr_conns += 1
        conn = TConn(self.cfg, client, address, listener.getsockname())
        conn.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(client, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def enqueue_req(self, conn: Any) -> None:
        """Handle the connection in a thread."""
        pool = self._health if _asks_for_health(conn.sock) else self.tpool
        pool.submit(self.handle, conn).add_done_callback(
            lambda future: self.method_queue.defer(self.finish_request, conn, future)
        )


def _asks_for_health(client: socket.socket) -> bool:
    try:
        return client.recv(_LOOKED_AT, socket.MSG_PEEK | socket.MSG_DONTWAIT).startswith(HEALTH)
    except OSError:
        return False
