"""Keyset pagination of long lists, newest first. A page costs the same however long the table is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, Tuple, select, tuple_

from bff.common.cursor import Cursor

ROWS_SCANNED: Final = 5000
"""Rows that one page scans for those that match ``unindexed``. Then the page ends with a cursor."""


@dataclass(frozen=True)
class PagedQuery:
    """Selects rows of ``table``, which has the columns ``created_at`` and ``id``.

    ``indexed`` is the condition that an index serves. ``unindexed`` are wanted values by column name, for
    columns without an index: each page scans at most ``ROWS_SCANNED`` rows for them. ``computed``: what to
    compare in place of columns.
    """

    table: Table
    indexed: ColumnElement[bool]
    unindexed: Mapping[str, Any] = field(default_factory=dict)
    computed: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)

    def read(
        self, connection: Connection, limit: int, after: Cursor | None
    ) -> tuple[list[Row[Any]], Cursor | None]:
        """Read at most ``limit`` rows after ``after``. Also returns the next page's cursor (None: the end).

        With ``unindexed``, a page may have fewer rows than ``limit``, even none, and not be the last.
        """
        # Before the rows: of those that are deleted or added meanwhile, none moves another across the end.
        end = self._end_of_window(connection, after) if self.unindexed else None
        matching = self._matching(after, end) if self.unindexed else self._window(after)
        ids = list(connection.execute(matching.limit(limit + 1)).scalars())
        wanted = select(self.table).where(self.table.c.id.in_(ids[:limit]))
        rows = list(connection.execute(_newest_first(wanted, self.table.c)))
        if len(ids) > limit:
            return rows, Cursor(rows[-1].created_at, rows[-1].id)
        return rows, end

    def _matching(self, after: Cursor | None, end: Cursor | None) -> Select[Any]:
        columns = [
            self.computed.get(name, self.table.c[name]).label(name)
            for name in ("created_at", *self.unindexed)
        ]
        window = self._window(after, *columns)
        if end is not None:
            window = window.where(place_of(self.table.c) >= place_at(end, self.table.c))
        # The limit stands in a subquery, so that no planner filters the whole table first.
        scanned = window.limit(2 * ROWS_SCANNED).subquery().c
        conditions = (scanned[name] == value for name, value in self.unindexed.items())
        return _newest_first(select(scanned.id).where(*conditions), scanned)

    def _window(self, after: Cursor | None, *columns: ColumnElement[Any]) -> Select[Any]:
        wanted = select(self.table.c.id, *columns).where(self.indexed)
        if after is not None:
            wanted = wanted.where(place_of(self.table.c) < place_at(after, self.table.c))
        return _newest_first(wanted, self.table.c)

    def _end_of_window(self, connection: Connection, after: Cursor | None) -> Cursor | None:
        last = self._window(after).offset(ROWS_SCANNED - 1).limit(1).subquery()
        ends = select(self.table.c.created_at, self.table.c.id).where(self.table.c.id.in_(select(last.c.id)))
        row = connection.execute(ends).one_or_none()
        return Cursor(row.created_at, row.id) if row else None


def place_of(columns: Any) -> Tuple:
    """Where a row stands in its list: of the columns ``created_at`` and ``id``."""
    return tuple_(columns.created_at, columns.id)


def place_at(cursor: Cursor, columns: Any) -> Tuple:
    """The place of a cursor, to be compared with ``place_of``.

    With the columns' own types: SQLAlchemy takes a time that has a zone for a column with one, and PostgreSQL
    would then compare it in the zone of its session.
    """
    return tuple_(cursor.at, cursor.id, types=[columns.created_at.type, columns.id.type])


def _newest_first(wanted: Select[Any], columns: Any) -> Select[Any]:
    return wanted.order_by(columns.created_at.desc(), columns.id.desc())
