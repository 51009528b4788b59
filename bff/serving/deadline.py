"""A deadline for a whole HTTP call: a watching thread shuts its socket down when the time is up.

Socket time-outs apply to each read only: a server that sends one byte a second could hold a thread for ever.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from bff.serving import tls
from bff.serving.blocking import is_readable_now


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[Watch]:
    """Limit this thread's calls through a ``WatchedAdapter`` in the block to ``seconds`` in total."""
    watch = Watch(seconds)
    _calling.watch = watch
    try:
        yield watch
    finally:
        watch.stop()
        _calling.watch = None


def current() -> Watch | None:
    """The watch of this thread's innermost ``deadline`` block. None outside of one."""
    return _calling.watch


class Watch:
    """Shuts down the connection of one call when its time is up.

    ``fired`` says that this has happened. ``reused`` says that the current try got a pooled connection which
    was open already.
    """

    def __init__(self, seconds: float) -> None:
        self.fired = False
        self.reused = False
        self.ended = False
        self.ends = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._copy: socket.socket | None = None
        _alarms.add(self)

    def remaining(self) -> float:
        """Seconds left, at least 0."""
        return max(self.ends - time.monotonic(), 0.0)

    def begin_try(self, connection: HTTPConnection) -> None:
        """Note whether a try begins on a connection that was open already."""
        self.reused = not connection.is_closed

    def watch(self, connection: HTTPConnection) -> None:
        """Watch the socket of this connection from now on. Raises ``TimeoutError`` after the deadline."""
        with self._lock:
            self._socket = connection.sock
            if self.fired:
                raise TimeoutError

    def guard(self, opened: socket.socket) -> None:
        """Watch a new socket before its TLS handshake, which detaches it. So a duplicate of it is watched.

        Raises ``TimeoutError`` after the deadline.
        """
        with self._lock:
            self._close_copy()
            self._socket = self._copy = opened.dup()
            if self.fired:
                raise TimeoutError

    def stop(self) -> None:
        """End the watch: the call has ended."""
        with self._lock:
            self.ended = True
            self._socket = None
            self._close_copy()

    def _close_copy(self) -> None:
        if self._copy is not None:
            self._copy.close()
            self._copy = None

    def cut(self) -> None:
        """Shut the socket down, unless the call has ended. A blocked read then returns at once."""
        with self._lock:
            self.fired = not self.ended
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    # The plain socket's method: that of an SSLSocket would wait for the peer.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Alarms:
    """One thread per process that cuts the calls whose deadline has passed.

    A call that ends in time stays in the heap until its deadline, and is skipped then. So ending a call is
    cheap, and the thread wakes once per deadline length instead of once per call.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Watch]] = []
        self._count = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, watch: Watch) -> None:
        """Cut ``watch`` at its deadline, unless its call has ended by then."""
        with self._changed:
            # A forked process has none of its parent's threads.
            if self._thread is None or not self._thread.is_alive():
                self._waiting.clear()
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            heapq.heappush(self._waiting, (watch.ends, next(self._count), watch))
            if self._waiting[0][2] is watch:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            self._next().cut()

    def _next(self) -> Watch:
        with self._changed:
            while True:
                while self._waiting and self._waiting[0][2].ended:
                    heapq.heappop(self._waiting)
                left = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(left)


_alarms: Final = _Alarms()


class _Calling(threading.local):
    watch: Watch | None = None


_calling: Final = _Calling()


class _WatchedConnection:
    """Mixin of HTTP and HTTPS connections."""

    sock: socket.socket | None

    @property
    def is_connected(self) -> bool:
        """Whether it is open, and its peer has sent nothing unasked, such as the end of the connection."""
        return self.sock is not None and not is_readable_now(self.sock.fileno())

    def getresponse(self) -> Any:
        """Read the response under the thread's watch."""
        if _calling.watch is not None:
            _calling.watch.watch(self)  # type: ignore[arg-type]  # it is mixed into connections only
        return super().getresponse()  # type: ignore[misc]  # the same


class _WatchedPool:
    """Mixin of HTTP and HTTPS connection pools."""

    def _get_conn(self, timeout: float | None = None) -> HTTPConnection:
        connection: HTTPConnection = super()._get_conn(timeout)  # type: ignore[misc]  # mixed into pools only
        if _calling.watch is not None:
            _calling.watch.begin_try(connection)
        return connection


class _WatchedHTTPConnection(_WatchedConnection, HTTPConnection):
    pass


class _WatchedHTTPSConnection(_WatchedConnection, HTTPSConnection):
    pass


class _HTTPPool(_WatchedPool, HTTPConnectionPool):
    ConnectionCls = _WatchedHTTPConnection


class _HTTPSPool(_WatchedPool, HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPSConnection


class WatchedAdapter(tls.Adapter):
    """An adapter for requests whose connections obey the ``deadline`` of the calling thread."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Create a pool manager of watched connections."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
