"""Statements that are run so often that what stands between a statement and its row is worth leaving out.

Each is compiled once and handed to the driver itself, as a transaction of its own or within one; its types'
own conversions are applied to its values and its row. By way of a SQLAlchemy connection the same costs five
times as much, which was a quarter of all that a launch, or a waiting page's question, took of the processor,
and two fifths of what a sign-in token did at the embedded service.
"""

from __future__ import annotations

import time
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Dialect, Engine, PoolProxiedConnection, Select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.sql.dml import UpdateBase

from bff.serving.database import turn_to_write
from bff.serving.sqlite_writers import WAIT_SECONDS, patiently

Process = Callable[[Any], Any]
Values = Mapping[str, Any]
Row = tuple[Any, ...]
Statement = Select[Any] | CompoundSelect[Any] | UpdateBase


class _Statement:
    """What the driver is given for a statement, and what it gives back."""

    def __init__(
        self,
        dialect: Dialect,
        statement: Statement,
        columns: Iterable[Any],
    ) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        columns = tuple(columns)
        self.tells = bool(columns)
        self._order = compiled.positiontup if compiled.positional else None
        self._fixed = compiled.params
        binds = {name: bind.type.dialect_impl(dialect) for bind, name in compiled.bind_names.items()}
        self._binds = [
            (name, process) for name, kind in binds.items() if (process := kind.bind_processor(dialect))
        ]
        results = (column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns)
        self._results = [(place, process) for place, process in enumerate(results) if process]

    def parameters(self, values: Values) -> tuple[Any, ...] | dict[str, Any]:
        """The values as the driver wants them."""
        given = {**self._fixed, **values}
        for name, process in self._binds:
            given[name] = process(given[name])
        return given if self._order is None else tuple(map(given.__getitem__, self._order))

    def row(self, found: Iterable[Any]) -> Row:
        """The driver's row, as the statement's types have it."""
        values = list(found)
        for place, process in self._results:
            values[place] = process(values[place])
        return tuple(values)


class Read:
    """A SELECT.

    Whatever the driver has to complain about, SQLAlchemy is asked the same again: that throws a broken
    connection away, and tells an error in its own kind.
    """

    def __init__(self, engine: Engine, statement: Select[Any] | CompoundSelect[Any]) -> None:
        self._engine, self._statement = engine, statement
        self._compiled = _Statement(engine.dialect, statement, statement.selected_columns)

    def one(self, **values: Any) -> Row | None:
        """The first row, in the order of the statement's columns; None without one. Raises as ``all``."""
        return next(iter(self.all(**values)), None)

    def all(self, **values: Any) -> list[Row]:
        """Every row. Raises ``SQLAlchemyError``."""
        try:
            return self._ask(values)
        except (self._engine.dialect.loaded_dbapi.Error, SQLAlchemyError):
            with self._engine.connect() as connection:
                return [tuple(row) for row in connection.execute(self._statement, values)]

    def _ask(self, values: Values) -> list[Row]:
        connection = self._engine.raw_connection()
        try:
            return _run(connection, self._compiled, values)[0]
        finally:
            connection.close()


class Change:
    """An INSERT or UPDATE of one row that tells it (RETURNING), and is committed before it is told.

    ``also`` is a second statement of the same transaction, which tells nothing.
    """

    def __init__(self, engine: Engine, statement: UpdateBase, also: UpdateBase | None = None) -> None:
        self._engine = engine
        self._compiled = _Statement(engine.dialect, statement, statement.exported_columns)
        self._also = None if also is None else _Statement(engine.dialect, also, ())

    def make(self, values: Values, also: Callable[[Row], Values] | None = None) -> Row | None:
        """The row as it is now; None when there was none to change. Raises ``SQLAlchemyError``.

        ``also`` makes the second statement's values of the row; it is run if there is one.
        """
        ends = time.monotonic() + WAIT_SECONDS
        with turn_to_write(self._engine), self._connection() as connection:
            rows = patiently(lambda: self._run(connection, values, also), ends)
            # SQLite's driver is in its own mode: there a statement outside a transaction is one.
            connection.commit()
        return rows[0] if rows else None

    def _run(
        self, connection: PoolProxiedConnection, values: Values, also: Callable[[Row], Values] | None
    ) -> list[Row]:
        if self._also is None or also is None:
            return _run(connection, self._compiled, values)[0]
        if self._engine.dialect.name == "sqlite":
            connection.cursor().execute("BEGIN IMMEDIATE")
        rows, _ = _run(connection, self._compiled, values)
        if rows:
            _run(connection, self._also, also(rows[0]))
        return rows

    @contextmanager
    def _connection(self) -> Iterator[PoolProxiedConnection]:
        dialect, connection = self._engine.dialect, None
        try:
            connection = self._engine.raw_connection()
            yield connection
        except dialect.loaded_dbapi.Error as error:
            lost = connection is None or dialect.is_disconnect(error, connection.driver_connection, None)
            if lost and connection is not None:
                connection.invalidate(error)
            raise self._told(error, lost=lost) from None
        finally:
            if connection is not None:
                connection.close()

    def _told(self, error: Exception, *, lost: bool) -> BaseException:
        # Without the values: a row's must not get into a log.
        base, sql = self._engine.dialect.loaded_dbapi.Error, self._compiled.sql
        return DBAPIError.instance(sql, None, error, base, hide_parameters=True, connection_invalidated=lost)


class Within:
    """A statement of a transaction that is under way, compiled once for each kind of database.

    ``statement`` may be made for the name of a dialect where they differ. Errors are SQLAlchemy's.
    """

    def __init__(self, statement: Statement | Callable[[str], Statement]) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[_Statement, Callable[[Row], Any]]] = {}

    def first(self, connection: Connection, **values: Any) -> Any:
        """The first row, its columns by name; None without one."""
        found = self.all(connection, **values)
        return found[0] if found else None

    def all(self, connection: Connection, **values: Any) -> list[Any]:
        """Every row."""
        compiled, named = self._for(connection.dialect)
        return [named(row) for row in self._told(connection, compiled, values)[0]]

    def run(self, connection: Connection, **values: Any) -> int:
        """How many rows it changed."""
        compiled, _ = self._for(connection.dialect)
        return self._told(connection, compiled, values)[1]

    def _told(self, connection: Connection, compiled: _Statement, values: Values) -> tuple[list[Row], int]:
        base = connection.dialect.loaded_dbapi.Error
        try:
            return _run(connection.connection, compiled, values)
        except base as error:
            lost = connection.dialect.is_disconnect(error, connection.connection.driver_connection, None)
            if lost:
                connection.invalidate(error)
            # Without the values: a row's must not get into a log.
            raise DBAPIError.instance(
                compiled.sql, None, error, base, hide_parameters=True, connection_invalidated=lost
            ) from None

    def _for(self, dialect: Dialect) -> tuple[_Statement, Callable[[Row], Any]]:
        if (known := self._compiled.get(dialect.name)) is None:
            made = self._statement(dialect.name) if callable(self._statement) else self._statement
            columns = tuple(made.exported_columns if isinstance(made, UpdateBase) else made.selected_columns)
            make: Any = namedtuple  # noqa: PYI024  # the fields are the statement's
            named = make("Row", [column.key for column in columns])
            known = self._compiled[dialect.name] = (_Statement(dialect, made, columns), named._make)
        return known


def _run(connection: PoolProxiedConnection, compiled: _Statement, values: Values) -> tuple[list[Row], int]:
    """What the statement tells, and how many rows it changed."""
    cursor = connection.cursor()
    try:
        cursor.execute(compiled.sql, compiled.parameters(values))
        # To the end: a change of SQLite's is kept, or fails, when its last row has been read.
        found, changed = cursor.fetchall() if compiled.tells else [], cursor.rowcount
    finally:
        cursor.close()
    return [compiled.row(row) for row in found], changed
