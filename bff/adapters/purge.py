"""Forgetting what nobody needs any more: a few rows at a time, so that no click waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, Table, delete, select, tuple_

from bff.adapters.tables import (
    attempts,
    ended_sessions,
    rate_limits,
    studio_invites,
    studio_sessions,
    used_assertions,
)
from bff.core.sessions import LONGEST_SESSION
from bff.serving.database import writing

UNLAUNCHED_KEPT: Final = timedelta(hours=1)
"""Attempts that were prepared for a click that never came are most of all: they go soon after their time."""
INVITES_KEPT: Final = timedelta(days=30)
"""So long a used or late link still says what it was."""


@dataclass(frozen=True)
class Ended:
    """Rows of ``table`` that are needed no more when ``condition`` holds; told apart by its primary key."""

    name: str
    table: Table
    condition: ColumnElement[bool]


class Purge:
    """Implements ``Purge`` of the ports. ``retention``: so long launched attempts are kept."""

    def __init__(self, engine: Engine, retention: timedelta) -> None:
        self._writer = writing(engine)
        self._retention = retention

    def ended(self, now: datetime) -> Sequence[Ended]:
        """What may go at this time."""
        attempt = attempts.c
        never = attempt.launched_at.is_(None) & (attempt.expires_at < now - UNLAUNCHED_KEPT)
        old = attempt.launched_at.is_not(None) & (attempt.expires_at < now - self._retention)
        return (
            Ended("unlaunched attempts", attempts, never),
            Ended("old attempts", attempts, old),
            Ended("Studio invites", studio_invites, studio_invites.c.expires_at < now - INVITES_KEPT),
            Ended("Studio sessions", studio_sessions, studio_sessions.c.expires_at < now),
            # No session token that lives still can have begun before.
            Ended("ended sessions", ended_sessions, ended_sessions.c.ended_before < now - LONGEST_SESSION),
            Ended("used assertions", used_assertions, used_assertions.c.until < now),
            Ended("rate limits", rate_limits, rate_limits.c.ends_at < now),
        )

    def forget(self, now: datetime, limit: int) -> dict[str, int]:
        """Delete at most ``limit`` rows of each kind, each kind in a transaction; how many went, by name."""
        return {kind.name: self._forget(kind, limit) for kind in self.ended(now)}

    def _forget(self, kind: Ended, limit: int) -> int:
        key: list[Any] = list(kind.table.primary_key.columns)
        # Several workers purge at once: on PostgreSQL each takes rows that no other has taken.
        some = select(*key).where(kind.condition).limit(limit).with_for_update(skip_locked=True)
        with self._writer.begin() as connection:
            return connection.execute(delete(kind.table).where(tuple_(*key).in_(some))).rowcount
