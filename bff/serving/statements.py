"""Precompiled SQL statements for frequent queries, which bypass SQLAlchemy's execution.

Each statement is compiled once and passed to the driver directly, in a transaction of its own or in a current
one. The conversions of SQLAlchemy's types are applied to parameters and rows. Execution by a SQLAlchemy
connection takes five times as long: a quarter of the processor time of a launch or a poll, and two fifths of
that of a sign-in token at the embedded service.
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
    """A compiled statement with the conversions of its parameters and result columns."""

    def __init__(
        self,
        dialect: Dialect,
        statement: Statement,
        columns: Iterable[Any],
    ) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        columns = tuple(columns)
        self.returns_rows = bool(columns)
        self._order = compiled.positiontup if compiled.positional else None
        self._fixed = compiled.params
        binds = {name: bind.type.dialect_impl(dialect) for bind, name in compiled.bind_names.items()}
        self._binds = [
            (name, process) for name, kind in binds.items() if (process := kind.bind_processor(dialect))
        ]
        results = (column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns)
        self._results = [(index, process) for index, process in enumerate(results) if process]

    def parameters(self, values: Values) -> tuple[Any, ...] | dict[str, Any]:
        """Convert ``values`` to the driver's parameters."""
        parameters = {**self._fixed, **values}
        for name, process in self._binds:
            parameters[name] = process(parameters[name])
        return parameters if self._order is None else tuple(map(parameters.__getitem__, self._order))

    def row(self, driver_row: Iterable[Any]) -> Row:
        """Convert a row of the driver to the types of the statement's columns."""
        values = list(driver_row)
        for index, process in self._results:
            values[index] = process(values[index])
        return tuple(values)


class Read:
    """A SELECT.

    After an error of the driver, the statement is repeated with SQLAlchemy, which replaces a broken
    connection and raises its own exceptions.
    """

    def __init__(self, engine: Engine, statement: Select[Any] | CompoundSelect[Any]) -> None:
        self._engine, self._statement = engine, statement
        self._compiled = _Statement(engine.dialect, statement, statement.selected_columns)

    def one(self, **values: Any) -> Row | None:
        """The first row, a tuple in the order of the statement's columns; None if there is none.

        Raises ``SQLAlchemyError``.
        """
        return next(iter(self.all(**values)), None)

    def all(self, **values: Any) -> list[Row]:
        """Every row. Raises ``SQLAlchemyError``."""
        try:
            return self._execute(values)
        except (self._engine.dialect.loaded_dbapi.Error, SQLAlchemyError):
            with self._engine.connect() as connection:
                return [tuple(row) for row in connection.execute(self._statement, values)]

    def _execute(self, values: Values) -> list[Row]:
        connection = self._engine.raw_connection()
        try:
            return _run(connection, self._compiled, values)[0]
        finally:
            connection.close()


class Change:
    """An INSERT or UPDATE of one row with RETURNING, in a transaction of its own.

    ``also`` is a second statement in the same transaction, which returns no rows.
    """

    def __init__(self, engine: Engine, statement: UpdateBase, also: UpdateBase | None = None) -> None:
        self._engine = engine
        self._compiled = _Statement(engine.dialect, statement, statement.exported_columns)
        self._also = None if also is None else _Statement(engine.dialect, also, ())

    def make(self, values: Values, also: Callable[[Row], Values] | None = None) -> Row | None:
        """Execute and commit; return the changed row, or None if there is none. Raises ``SQLAlchemyError``.

        ``also`` returns the parameters of the second statement for the row. It is not called without a row.
        """
        ends = time.monotonic() + WAIT_SECONDS
        with turn_to_write(self._engine), self._connection() as connection:
            rows = patiently(lambda: self._run(connection, values, also), ends)
            # Has no effect on SQLite in autocommit mode, unless ``_run`` has begun a transaction.
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
            raise _converted(dialect, self._compiled, error, lost=lost) from None
        finally:
            if connection is not None:
                connection.close()


class Within:
    """A statement within the current transaction of a connection, compiled once for each dialect.

    ``statement`` may be a function that returns the statement for a dialect's name. Raises SQLAlchemy's
    errors.
    """

    def __init__(self, statement: Statement | Callable[[str], Statement]) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[_Statement, Callable[[Row], Any]]] = {}

    def first(self, connection: Connection, **values: Any) -> Any:
        """The first row, a named tuple; None if there is none."""
        rows = self.all(connection, **values)
        return rows[0] if rows else None

    def all(self, connection: Connection, **values: Any) -> list[Any]:
        """All rows, as named tuples."""
        compiled, named = self._for(connection.dialect)
        return [named(row) for row in self._execute(connection, compiled, values)[0]]

    def run(self, connection: Connection, **values: Any) -> int:
        """Execute; return the number of changed rows."""
        compiled, _ = self._for(connection.dialect)
        return self._execute(connection, compiled, values)[1]

    def _execute(self, connection: Connection, compiled: _Statement, values: Values) -> tuple[list[Row], int]:
        try:
            return _run(connection.connection, compiled, values)
        except connection.dialect.loaded_dbapi.Error as error:
            lost = connection.dialect.is_disconnect(error, connection.connection.driver_connection, None)
            if lost:
                connection.invalidate(error)
            raise _converted(connection.dialect, compiled, error, lost=lost) from None

    def _for(self, dialect: Dialect) -> tuple[_Statement, Callable[[Row], Any]]:
        if (known := self._compiled.get(dialect.name)) is None:
            sql = self._statement(dialect.name) if callable(self._statement) else self._statement
            columns = tuple(sql.exported_columns if isinstance(sql, UpdateBase) else sql.selected_columns)
            make_type: Any = namedtuple  # noqa: PYI024  # the fields are the statement's
            named = make_type("Row", [column.key for column in columns])
            known = self._compiled[dialect.name] = (_Statement(dialect, sql, columns), named._make)
        return known


def _run(connection: PoolProxiedConnection, compiled: _Statement, values: Values) -> tuple[list[Row], int]:
    """Execute the statement; return its rows and the number of changed rows."""
    cursor = connection.cursor()
    try:
        cursor.execute(compiled.sql, compiled.parameters(values))
        # Fetch all rows: SQLite completes a change with RETURNING only when its last row has been read.
        rows, changed = cursor.fetchall() if compiled.returns_rows else [], cursor.rowcount
    finally:
        cursor.close()
    return [compiled.row(row) for row in rows], changed


def _converted(dialect: Dialect, compiled: _Statement, error: Exception, *, lost: bool) -> BaseException:
    """The SQLAlchemy error for a driver's error; ``lost``: the connection was closed."""
    base = dialect.loaded_dbapi.Error
    # Without the parameters, as values of rows must not be logged.
    return DBAPIError.instance(
        compiled.sql, None, error, base, hide_parameters=True, connection_invalidated=lost
    )
