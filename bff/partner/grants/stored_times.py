"""Stored times to wait for. One that is too far ahead counts as past: a clock that had jumped wrote it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Column, ColumnElement, or_

from bff.serving.store_clock import TOLERATED


def is_ahead(moment: datetime | None, now: datetime, longest: timedelta) -> bool:
    """Whether a stored time is in the future, by at most the ``longest`` wait that a right clock stores."""
    return moment is not None and now < moment <= now + longest + TOLERATED


def is_not_ahead(moment: Column[datetime], now: datetime, longest: timedelta) -> ColumnElement[bool]:
    """The condition that ``is_ahead`` is false of a column."""
    return or_(moment.is_(None), moment <= now, moment > now + longest + TOLERATED)
