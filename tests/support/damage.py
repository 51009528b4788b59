"""Rows that cannot be read: a time that is none."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Engine, literal_column, update

from bff.serving.database import writing

NO_TIME: Final = {"sqlite": "'no time'", "postgresql": "'infinity'"}
"""What each database stores in a column of times, and its driver cannot read."""


def damage(engine: Engine, column: Column[Any], which: ColumnElement[bool]) -> None:
    """Make a column of times unreadable in some rows."""
    broken: ColumnElement[Any] = literal_column(NO_TIME[engine.dialect.name])
    with writing(engine).begin() as connection:
        changed = connection.execute(update(column.table).where(which).values({column: broken}))
        assert changed.rowcount
