"""Pages of long lists, newest first: each by an index, however long the table is, whatever is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, Table, select, tuple_

from bff.common.cursor import Cursor

LOOKED_AT: Final = 5000
"""Rows that one page looks through for those that match: then it ends, and says where to go on."""


@dataclass(frozen=True)
class PageOf:
    """Which rows of ``table`` (it has ``created_at`` and ``id``): ``indexed`` is what an index goes by.

    ``others`` are values of columns that no index knows: they are looked for among ``LOOKED_AT`` rows at a
    time.
    """

    table: Table
    indexed: ColumnElement[bool]
    others: Mapping[str, Any] = field(default_factory=dict)

    def read(
        self, connection: Connection, limit: int, after: Cursor | None
    ) -> tuple[list[Row[Any]], Cursor | None]:
        """At most ``limit`` rows, and where the list goes on; None at its end.

        A page may hold fewer rows, or none, and yet not be the last.
        """
        matching = self._matching(after) if self.others else self._window(after)
        ids = list(connection.execute(matching.limit(limit + 1)).scalars())
        wanted = select(self.table).where(self.table.c.id.in_(ids[:limit]))
        rows = list(connection.execute(_newest_first(wanted, self.table.c)))
        if len(ids) > limit:
            return rows, Cursor(rows[-1].created_at, rows[-1].id)
        return rows, self._end_of_window(connection, after) if self.others else None

    def _matching(self, after: Cursor | None) -> Select[Any]:
        # Of the window itself, so that no planner goes about it by way of the whole table.
        columns = [self.table.c[name] for name in ("created_at", *self.others)]
        looked_at = self._window(after, *columns).limit(LOOKED_AT).subquery().c
        conditions = (looked_at[name] == value for name, value in self.others.items())
        return _newest_first(select(looked_at.id).where(*conditions), looked_at)

    def _window(self, after: Cursor | None, *columns: Column[Any]) -> Select[Any]:
        wanted = select(self.table.c.id, *columns).where(self.indexed)
        if after is not None:
            place = tuple_(self.table.c.created_at, self.table.c.id)
            wanted = wanted.where(place < tuple_(after.at, after.id))
        return _newest_first(wanted, self.table.c)

    def _end_of_window(self, connection: Connection, after: Cursor | None) -> Cursor | None:
        last = self._window(after).offset(LOOKED_AT - 1).limit(1).subquery()
        ends = select(self.table.c.created_at, self.table.c.id).where(self.table.c.id.in_(select(last.c.id)))
        row = connection.execute(ends).one_or_none()
        return Cursor(row.created_at, row.id) if row else None


def _newest_first(wanted: Select[Any], columns: Any) -> Select[Any]:
    return wanted.order_by(columns.created_at.desc(), columns.id.desc())
