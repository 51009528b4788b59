"""Connections to checked addresses. A name is resolved once, so that it cannot change after the check."""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError
from urllib3.util.connection import create_connection

from bff.serving.deadline import Watch
from bff.serving.destinations import Policy, is_address
from bff.serving.name_lookups import in_thread, lookups

Open = Callable[[str, int, Any], socket.socket]
"""Connects to a host and port, with the options of the socket. Raises ``OSError`` or ``ForbiddenUrl``."""


def pin(pool: Any, opener: Open) -> None:
    """Make a urllib3 pool open its connections with ``opener`` only."""
    kind = _PinnedHTTPS if pool.scheme == "https" else _PinnedHTTP
    pool.ConnectionCls = functools.partial(kind, opener=opener)


def connect_watched(
    policy: Policy, watch: Watch, seconds: float, host: str, port: int, options: Any
) -> socket.socket:
    """Connect within ``seconds`` and the deadline of ``watch``, which cuts the connection when it ends.

    Raises ``ForbiddenUrl``, or ``OSError`` if no address can be reached in time.
    """
    opened = connect(policy, host, port, options, lambda: min(seconds, watch.remaining()))
    watch.guard(opened)
    return opened


def connect(policy: Policy, host: str, port: int, options: Any, left: Callable[[], float]) -> socket.socket:
    """Connect to one of the allowed addresses of ``host``. ``left`` returns the seconds left in total.

    Raises ``ForbiddenUrl``, or ``OSError`` if no address can be reached.
    """
    error: OSError = TimeoutError("no time left")
    for address in _addresses(policy, host, port, left()):
        seconds = left()
        if seconds <= 0:
            break
        try:
            return create_connection((address, port), seconds, socket_options=options)
        except OSError as failed:
            error = failed
    raise error


def _addresses(policy: Policy, host: str, port: int, seconds: float) -> list[str]:
    """Resolve ``host`` in a thread, because the time-outs of the system's resolver are much longer."""
    work = functools.partial(policy.addresses, host, port)
    if host in policy.fixed_hosts or is_address(host):
        return in_thread(work, seconds)
    return lookups(policy.resolver).run(host, work, seconds)


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
