"""A deadline for a whole call: the connection is cut when its time is over.

Timeouts of sockets are for each read: a server that sends one byte a second would hold a thread for as long
as it likes.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[Watch]:
    """Watches what this thread calls through a ``WatchedAdapter`` in the block."""
    watch = Watch(seconds)
    _calling.watch = watch
    try:
        yield watch
    finally:
        watch.stop()
        _calling.watch = None


def current() -> Watch | None:
    """The watch of the call that this thread makes; None outside of ``deadline``."""
    return _calling.watch


class Watch:
    """Cuts the connection of one call when its time is over. ``kept``: it was there before this try."""

    def __init__(self, seconds: float) -> None:
        self.fired = False
        self.kept = False
        self.ended = False
        self.ends = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._copy: socket.socket | None = None
        _alarms.add(self)

    def remaining(self) -> float:
        """Seconds that are left."""
        return max(self.ends - time.monotonic(), 0.0)

    def take(self, connection: HTTPConnection) -> None:
        """A try begins on this connection."""
        self.kept = not connection.is_closed

    def over(self, connection: HTTPConnection) -> None:
        """Watch this connection from now on."""
        with self._lock:
            self._socket = connection.sock
            if self.fired:
                raise TimeoutError

    def guard(self, opened: socket.socket) -> None:
        """Watch a connection from its first byte on: TLS takes its socket over, so a copy of it is watched.

        Raises ``TimeoutError`` when it is too late already.
        """
        with self._lock:
            self._close_copy()
            self._socket = self._copy = opened.dup()
            if self.fired:
                raise TimeoutError

    def stop(self) -> None:
        """The call has ended."""
        with self._lock:
            self.ended = True
            self._socket = None
            self._close_copy()

    def _close_copy(self) -> None:
        if self._copy is not None:
            self._copy.close()
            self._copy = None

    def cut(self) -> None:
        """Its time is over: whoever reads from the connection is told at once."""
        with self._lock:
            self.fired = not self.ended
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    # The plain socket's own shutdown: TLS's would wait for the other side.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Alarms:
    """The one thread of a process that cuts what has lasted too long.

    A call that ends in time is left where it is and passed over later: ending costs nothing, and the thread
    wakes once in the length of a deadline rather than once for each call.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Watch]] = []
        self._count = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, watch: Watch) -> None:
        """Cut this one at its end, unless its call has ended by then."""
        with self._changed:
            # A process that was forked off has none of its parent's threads.
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


class _Answering:
    """What both kinds of connections do to read an answer."""

    def getresponse(self) -> Any:
        """Read the answer under the call's watch."""
        if _calling.watch is not None:
            _calling.watch.over(self)  # type: ignore[arg-type]  # it is mixed into connections only
        return super().getresponse()  # type: ignore[misc]  # the same


class _Taking:
    """What both kinds of pools do to find a connection."""

    def _get_conn(self, timeout: float | None = None) -> HTTPConnection:
        connection: HTTPConnection = super()._get_conn(timeout)  # type: ignore[misc]  # mixed into pools only
        if _calling.watch is not None:
            _calling.watch.take(connection)
        return connection


class _WatchedHTTPConnection(_Answering, HTTPConnection):
    pass


class _WatchedHTTPSConnection(_Answering, HTTPSConnection):
    pass


class _HTTPPool(_Taking, HTTPConnectionPool):
    ConnectionCls = _WatchedHTTPConnection


class _HTTPSPool(_Taking, HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPSConnection


class WatchedAdapter(HTTPAdapter):
    """Its connections are cut by the ``deadline`` of the thread that uses them."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Use pools whose connections are watched."""
        super().init_poolmanager(*arguments, ssl_context=_tls(), **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


def _tls() -> ssl.SSLContext:
    # Made by hand: both libraries' own would write its keys to the file that SSLKEYLOGFILE names.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
