"""gunicorn's threaded worker: silence costs no thread, and health is answered by threads of its own."""

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
    """A connection takes a thread when its first byte is there.

    A slow rest of a request holds that thread: a proxy that reads whole requests belongs in front.
    """

    def init_process(self) -> None:
        """With threads that only answer for the program's health, however busy the others are."""
        self._health = ThreadPoolExecutor(HEALTH_THREADS, thread_name_prefix="health")
        super().init_process()

    def accept(self, listener: Any) -> None:
        """Wait for a new connection's first byte without a thread."""
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
        """Give the connection to a thread."""
        pool = self._health if _asks_for_health(conn.sock) else self.tpool
        pool.submit(self.handle, conn).add_done_callback(
            lambda done: self.method_queue.defer(self.finish_request, conn, done)
        )


def _asks_for_health(client: socket.socket) -> bool:
    try:
        return client.recv(_LOOKED_AT, socket.MSG_PEEK | socket.MSG_DONTWAIT).startswith(HEALTH)
    except OSError:
        return False
