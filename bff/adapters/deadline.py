"""A deadline for a whole call: the connection is cut when its time is over.

Timeouts of sockets are for each read: a server that sends one byte a second would hold a thread for as long
as it likes.
"""

from __future__ import annotations

import contextlib
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


class Watch:
    """Cuts the connection of one call when its time is over."""

    def __init__(self, seconds: float) -> None:
        self.fired = False
        self._ends = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def remaining(self) -> float:
        """Seconds that are left."""
        return max(self._ends - time.monotonic(), 0.0)

    def over(self, connection: HTTPConnection) -> None:
        """Watch this connection from now on."""
        with self._lock:
            self._socket = connection.sock
            if self.fired:
                raise TimeoutError

    def stop(self) -> None:
        """The call has ended."""
        self._timer.cancel()
        with self._lock:
            self._socket = None

    def _cut(self) -> None:
        with self._lock:
            self.fired = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    # The plain socket's own shutdown: TLS's would wait for the other side.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Calling(threading.local):
    watch: Watch | None = None


_calling: Final = _Calling()


class _WatchedHTTPConnection(HTTPConnection):
    def getresponse(self) -> Any:
        """Read the answer under the call's watch."""
        if _calling.watch is not None:
            _calling.watch.over(self)
        return super().getresponse()


class _WatchedHTTPSConnection(HTTPSConnection):
    def getresponse(self) -> Any:
        """Read the answer under the call's watch."""
        if _calling.watch is not None:
            _calling.watch.over(self)
        return super().getresponse()


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
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
