"""Reads the attempts that are due for housekeeping. One that cannot be used does not hold up the others."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, select

from bff.connect.attempt import Attempt
from bff.connect.attempt_rows import from_row
from bff.serving.readable_rows import ReadableRows
from bff.storage.tables import IS_LAUNCHED, attempts


class DueAttempts:
    """Reads what ``AttemptStore`` calls overdue, and due for a look."""

    def __init__(self, engine: Engine) -> None:
        self._rows = ReadableRows(engine.connect, attempts.c.id, from_row)

    def overdue(self, now: datetime, limit: int) -> list[Attempt]:
        """Launched attempts whose time was over before ``now``, the longest overdue first."""
        query = select(attempts).where(IS_LAUNCHED, attempts.c.expires_at < now)
        return self._rows.read(query.order_by(attempts.c.expires_at).limit(limit))

    def looks_due(self, now: datetime, limit: int) -> list[Attempt]:
        """Attempts that were given up and are due for a look, the longest due first."""
        query = select(attempts).where(attempts.c.look_at.is_not(None), attempts.c.look_at <= now)
        return self._rows.read(query.order_by(attempts.c.look_at).limit(limit))

    def set_aside(self, attempt_id: str, error: Exception) -> None:
        """Leave an attempt out for ten minutes. Raises ``error`` if it is an outage of the database."""
        self._rows.set_aside(attempt_id, error)
