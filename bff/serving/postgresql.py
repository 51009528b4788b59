"""PostgreSQL connections on which no wait is without an end, also when the server has stopped altogether."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import psycopg

CONNECT_SECONDS: Final = 3
ANSWER_SECONDS: Final = 8.0
"""So long may a statement take, with all its waits, as the client sees it."""
SESSION: Final = (
    "SET statement_timeout = 7000; SET lock_timeout = 4000; SET idle_in_transaction_session_timeout = 60000"
)
"""The same at the server (in milliseconds), so that it stops working for nobody."""
UNLIMITED: Final = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0"

_patience: ContextVar[float | None] = ContextVar("patience", default=ANSWER_SECONDS)


@contextmanager
def patience(seconds: float | None) -> Iterator[None]:
    """In the block an answer may take so long; None: as long as it likes."""
    before = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(before)


class BoundedConnection(psycopg.Connection[Any]):
    """Raises ``psycopg.OperationalError``, and is closed, when the server does not answer in time."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the server, but not for ever."""
        limit = _patience.get() if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001  # the library has no public name for it
            if timeout is not None:
                raise
            # Where the conversation stands is not known: nobody may use the connection any more.
            self.pgconn.finish()
            raise psycopg.OperationalError("the database did not answer in time") from None


def connect(*arguments: Any, **options: Any) -> BoundedConnection:
    """A connection with the session's limits set."""
    connection = BoundedConnection.connect(*arguments, **{"connect_timeout": CONNECT_SECONDS} | options)
    connection.execute(SESSION)
    connection.commit()
    return connection
