"""Reads the attempts that are due for housekeeping.

One whose row or processing fails is set aside for a while, and does not hold up the others.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, select

from bff.connect.attempt import Attempt
from bff.connect.attempt_rows import from_row
from bff.serving.readable_rows import ReadableRows
from bff.storage.tables import IS_LAUNCHED, attempts


class DueAttempts:
    """Reads the attempts that are overdue, and those that are due for a recheck."""

    def __init__(self, engine: Engine) -> None:
        self._rows = ReadableRows(engine.connect, attempts.c.id, from_row)

    def overdue(self, now: datetime, limit: int) -> list[Attempt]:
        """Launched attempts whose time was over before ``now``, the longest overdue first."""
        query = select(attempts).where(IS_LAUNCHED, attempts.c.expires_at < now)
        return self._rows.read(query.order_by(attempts.c.expires_at).limit(limit))

    def for_recheck(self, now: datetime, limit: int) -> list[Attempt]:
        """Attempts that were given up and are due for a recheck, the longest due first."""
        query = select(attempts).where(attempts.c.recheck_at.is_not(None), attempts.c.recheck_at <= now)
        return self._rows.read(query.order_by(attempts.c.recheck_at).limit(limit))

    def set_aside(self, attempt_id: str, error: Exception) -> None:
        """Leave an attempt out for ten minutes. Raises ``error`` if it is an outage of the database."""
        self._rows.set_aside(attempt_id, error)
