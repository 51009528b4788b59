"""Connections to checked addresses. A name is resolved once, so that it cannot change after the check."""

from __future__ import annotations

import functools
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError
from urllib3.util.connection import create_connection

from bff.serving.destinations import Policy

Open = Callable[[str, int, Any], socket.socket]
"""Connects to a host and port, with the options of the socket. Raises ``OSError`` or ``ForbiddenUrl``."""
_Lookup = tuple[int, Policy, str, int]
"""The process, what is allowed, host and port."""


def pin(pool: Any, opener: Open) -> None:
    """Make a urllib3 pool open its connections with ``opener`` only."""
    kind = _PinnedHTTPS if pool.scheme == "https" else _PinnedHTTP
    pool.ConnectionCls = functools.partial(kind, opener=opener)


def connect(policy: Policy, host: str, port: int, options: Any, left: Callable[[], float]) -> socket.socket:
    """Connect to one of the allowed addresses of ``host``. ``left`` returns the seconds left in total.

    Raises ``ForbiddenUrl``, or ``OSError`` if no address can be reached.
    """
    error: OSError = TimeoutError("no time left")
    for address in _lookups.addresses(policy, host, port, left()):
        seconds = left()
        if seconds <= 0:
            break
        try:
            return create_connection((address, port), seconds, socket_options=options)
        except OSError as failed:
            error = failed
    raise error


class _Lookups:
    """Looks names up in threads, because the time-outs of the system's resolver are much longer.

    Concurrent calls to a host share one lookup. gevent has ten threads for the lookups of a process: a host
    whose name server does not answer would otherwise take them all, and stop the calls to every other host.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[_Lookup, Future[list[str]]] = {}

    def addresses(self, policy: Policy, host: str, port: int, seconds: float) -> list[str]:
        """The allowed addresses of ``host``. Raises ``ForbiddenUrl``, or ``OSError``, also for a time-out."""
        # A thread does not survive a fork, so the lookups of another process are none of this one's.
        lookup = os.getpid(), policy, host, port
        with self._lock:
            found = self._under_way.get(lookup)
            if found is None:
                found = Future()
                threading.Thread(target=self._resolve, args=(lookup, found), daemon=True).start()
                self._under_way[lookup] = found
        return found.result(max(0.0, seconds))

    def _resolve(self, lookup: _Lookup, found: Future[list[str]]) -> None:
        _, policy, host, port = lookup
        addresses, failure = [], None
        try:
            addresses = policy.addresses(host, port)
        except Exception as error:  # noqa: BLE001  # raised where the result is read
            failure = error
        # First, so that whoever comes after the result looks the name up again.
        with self._lock:
            self._under_way.pop(lookup, None)
        found.set_exception(failure) if failure else found.set_result(addresses)


_lookups = _Lookups()


class _PinnedHTTP(HTTPConnection):
    def __init__(self, *arguments: Any, opener: Open, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._opener = opener

    def _new_conn(self) -> socket.socket:
        return _opened(self, self._opener)


class _PinnedHTTPS(HTTPSConnection):
    """Verifies the certificate against the host name of the URL, as usual."""

    def __init__(self, *arguments: Any, opener: Open, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._opener = opener

    def _new_conn(self) -> socket.socket:
        return _opened(self, self._opener)


def _opened(connection: HTTPConnection, opener: Open) -> socket.socket:
    try:
        return opener(connection.host, connection.port, connection.socket_options)
    except OSError as error:
        raise NewConnectionError(connection, str(error)) from error
