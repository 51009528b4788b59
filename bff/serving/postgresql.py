"""PostgreSQL connections with timeouts on every wait, also for a server that has stopped responding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import psycopg

CONNECT_SECONDS: Final = 3
ANSWER_SECONDS: Final = 8.0
"""Timeout of a statement on the client's side, including the network."""
SESSION: Final = (
    "SET statement_timeout = 7000; SET lock_timeout = 4000; SET idle_in_transaction_session_timeout = 60000;"
    " SET TIME ZONE 'UTC'"
)
"""Timeouts on the server's side (milliseconds), so that it stops work whose client has given up; and UTC, in
which all times are stored, whatever zone the server is in."""
UNLIMITED: Final = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0"

_patience: ContextVar[float | None] = ContextVar("patience", default=ANSWER_SECONDS)


@contextmanager
def patience(seconds: float | None) -> Iterator[None]:
    """Set the client's statement timeout within the block; None for no timeout."""
    before = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(before)


class BoundedConnection(psycopg.Connection[Any]):
    """Closes and raises ``psycopg.OperationalError`` if the server does not answer in time."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the server, for at most the current timeout."""
        limit = _patience.get() if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001  # the library has no public name for it
            if timeout is not None:
                raise
            # The protocol state is unknown, so the connection cannot be used again.
            self.pgconn.finish()
            raise psycopg.OperationalError("the database did not answer in time") from None


def connect(*arguments: Any, **options: Any) -> BoundedConnection:
    """Open a connection in UTF-8 and set the session's timeouts.

    By default the encoding is the database's or PGCLIENTENCODING's. In SQL_ASCII, psycopg returns bytes.
    """
    own = {"connect_timeout": CONNECT_SECONDS} | options | {"client_encoding": "utf8"}
    connection = BoundedConnection.connect(*arguments, **own)
    connection.execute(SESSION)
    connection.commit()
    return connection
