"""Pages of long lists, newest first: each by an index, however long the table is, whatever is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, select, tuple_

from bff.common.cursor import Cursor

LOOKED_AT: Final = 5000
"""Rows that one page looks through for those that match: then it ends, and says where to go on."""


@dataclass(frozen=True)
class PageOf:
    """Which rows of ``table`` (it has ``created_at`` and ``id``): ``indexed`` is what an index goes by.

    ``others`` are conditions that no index knows: they are looked for among ``LOOKED_AT`` rows at a time.
    """

    table: Table
    indexed: ColumnElement[bool]
    others: Sequence[ColumnElement[bool]] = ()

    def read(
        self, connection: Connection, limit: int, after: Cursor | None
    ) -> tuple[list[Row[Any]], Cursor | None]:
        """At most ``limit`` rows, and where the list goes on; None at its end.

        A page may hold fewer rows, or none, and yet not be the last.
        """
        window = self._window(after)
        if self.others:
            looked_at = window.limit(LOOKED_AT).subquery()
            matching = select(self.table.c.id).where(
                self.table.c.id.in_(select(looked_at.c.id)), *self.others
            )
            window = self._ordered(matching)
        ids = list(connection.execute(window.limit(limit + 1)).scalars())
        wanted = select(self.table).where(self.table.c.id.in_(ids[:limit]))
        rows = list(connection.execute(self._ordered(wanted)))
        if len(ids) > limit:
            return rows, Cursor(rows[-1].created_at, rows[-1].id)
        return rows, self._end_of_window(connection, after) if self.others else None

    def _window(self, after: Cursor | None) -> Select[Any]:
        wanted = select(self.table.c.id).where(self.indexed)
        if after is not None:
            place = tuple_(self.table.c.created_at, self.table.c.id)
            wanted = wanted.where(place < tuple_(after.at, after.id))
        return self._ordered(wanted)

    def _end_of_window(self, connection: Connection, after: Cursor | None) -> Cursor | None:
        last = self._window(after).offset(LOOKED_AT - 1).limit(1).subquery()
        ends = select(self.table.c.created_at, self.table.c.id).where(self.table.c.id.in_(select(last.c.id)))
        row = connection.execute(ends).one_or_none()
        return Cursor(row.created_at, row.id) if row else None

    def _ordered(self, wanted: Select[Any]) -> Select[Any]:
        return wanted.order_by(self.table.c.created_at.desc(), self.table.c.id.desc())
