"""Reads rows of a queue one by one if one of them cannot be read, so that it does not hold up the others.

A row becomes unreadable if a newer release wrote it, if it was edited by hand, or if its page is damaged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Generic, TypeVar

import structlog
from sqlalchemy import Column, Connection, Row, Select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bff.serving.logs import about

SET_ASIDE_SECONDS: Final = 600.0
"""How long an unreadable row is left out. Then it is tried again: an upgrade may have made it readable."""
MOST_SET_ASIDE: Final = 10_000
"""Maximum number of rows that one process leaves out. Beyond it, the ones left out first are tried again."""
MOST_BATCHES: Final = 10
"""Batches without a readable row that one call reads."""

T = TypeVar("T")

log = structlog.get_logger("hitchpost.housekeeping")


class ReadableRows(Generic[T]):
    """Reads a queue, and leaves out the rows that cannot be read. Each is logged when it is found.

    ``connect`` begins a transaction or connection to read with. ``key`` is the column that identifies a row.
    ``convert`` makes the result from a row of the query's columns. A row is unreadable if reading or
    converting it raises anything, unless the database is unavailable.
    """

    def __init__(
        self,
        connect: Callable[[], AbstractContextManager[Connection]],
        key: Column[Any],
        convert: Callable[[Row[Any]], T],
    ) -> None:
        self._connect = connect
        self._key = key
        self._convert = convert
        self._left_out: dict[Any, float] = {}

    def read(self, query: Select[Any]) -> list[T]:
        """The readable rows of ``query`` (ordered, limited). Raises ``SQLAlchemyError``."""
        for _ in range(MOST_BATCHES):
            ids = self._current()
            wanted = query.where(self._key.not_in(ids)) if ids else query
            try:
                with self._connect() as connection:
                    return [self._convert(row) for row in connection.execute(wanted).all()]
            except Exception as error:  # noqa: BLE001  # one row may be at fault
                raise_outage(error)
            if found := self._read_each(query, wanted):
                return found
        return []

    def set_aside(self, key: Any, error: Exception) -> None:
        """Leave this row out for ten minutes, because of ``error``. Raises ``error`` if it is an outage."""
        raise_outage(error)
        if len(self._left_out) >= MOST_SET_ASIDE:
            del self._left_out[next(iter(self._left_out))]
        self._left_out[key] = time.monotonic()
        log.error("a row cannot be used", what=f"{self._key.table.name} {key}", **about(error))

    def _read_each(self, query: Select[Any], wanted: Select[Any]) -> list[T]:
        with self._connect() as connection:
            keys = list(connection.execute(wanted.with_only_columns(self._key)).scalars())
        found: list[T] = []
        for key in keys:
            try:
                # A connection each: on PostgreSQL an error ends the transaction.
                with self._connect() as connection:
                    row = connection.execute(query.where(self._key == key)).one_or_none()
                if row is not None:
                    found.append(self._convert(row))
            except Exception as error:  # noqa: BLE001  # raised again if it is no fault of the row
                self.set_aside(key, error)
        return found

    def _current(self) -> Sequence[Any]:
        since = time.monotonic() - SET_ASIDE_SECONDS
        self._left_out = {key: at for key, at in self._left_out.items() if at > since}
        return tuple(self._left_out)


def raise_outage(error: Exception) -> None:
    """Raise ``error`` if it is no fault of a row: the database is unavailable, full or busy."""
    if isinstance(error, OperationalError | InterfaceError | PoolTimeout):
        raise error
