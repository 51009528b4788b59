"""Forgetting what nobody needs any more: a few rows at a time, so that no click waits for it."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Engine, Select, Table, delete, exists, func, select, tuple_

from bff.connect.outcome import LATE
from bff.content.logos.store import UNNAMED_KEPT, is_unnamed
from bff.identity.sessions import LONGEST_SESSION
from bff.serving.database import writing
from bff.storage.tables import (
    attempts,
    catalogue_entries,
    connections,
    ended_sessions,
    images,
    outbox,
    rate_limits,
    sign_in_urls,
    studio_invites,
    studio_sessions,
    used_assertions,
    webhook_deliveries,
    webhook_endpoints,
)

UNLAUNCHED_KEPT: Final = timedelta(hours=1)
"""Attempts that were prepared for a click that never came are most of all: they go soon after their time."""
LOOKED_AT_EVERY: Final = timedelta(hours=1)
"""So seldom does each process look for images that nobody names."""
CATALOGUE_KEPT: Final = timedelta(days=30)
"""An entry that nobody has asked for in all this time is no product's any more."""
INVITES_KEPT: Final = timedelta(days=30)
"""So long a used or late link still says what it was."""


@dataclass(frozen=True)
class Ended:
    """Rows of ``table``, or those of ``some``, that are needed no more: whose ``at`` is before ``until``."""

    name: str
    table: Table
    at: Column[datetime]
    until: datetime
    some: ColumnElement[bool] | None = None

    def oldest(self, limit: int) -> Select[Any]:
        """The primary keys of so many of them.

        In their order, and so by the index of ``at``: without it PostgreSQL, told to find some few of many,
        reads the table from its beginning, however far the first of them is.
        """
        over = self.at < self.until if self.some is None else self.some & (self.at < self.until)
        return select(*self.table.primary_key.columns).where(over).order_by(self.at).limit(limit)


class Purge:
    """Implements ``Purge`` of the ports.

    ``retention``: so long launched attempts are kept; ``webhooks``: so long what servers were told is.
    """

    def __init__(
        self, engine: Engine, retention: timedelta, webhooks: timedelta = timedelta(days=30)
    ) -> None:
        self._writer = writing(engine)
        self._retention = retention
        self._webhooks = webhooks
        self._looked_at: datetime | None = None

    def ended(self, now: datetime, *, looks: bool = True) -> Sequence[Ended]:
        """What may go at this time. ``looks``: images too, for which every published look is read."""
        attempt, image = attempts.c, images.c
        never, launched = attempt.launched_at.is_(None), attempt.launched_at.is_not(None)
        return (
            Ended("unlaunched attempts", attempts, attempt.expires_at, now - UNLAUNCHED_KEPT, never),
            Ended("old attempts", attempts, attempt.expires_at, now - self._retention, launched),
            Ended("Studio invites", studio_invites, studio_invites.c.expires_at, now - INVITES_KEPT),
            Ended("Studio sessions", studio_sessions, studio_sessions.c.expires_at, now),
            # No session token that lives still can have begun before.
            Ended("ended sessions", ended_sessions, ended_sessions.c.ended_before, now - LONGEST_SESSION),
            Ended("used assertions", used_assertions, used_assertions.c.until, now),
            Ended(
                "catalogue entries",
                catalogue_entries,
                catalogue_entries.c.read_at,
                now - CATALOGUE_KEPT,
            ),
            # Of account connectors that are gone: their ids come no more.
            Ended("old connections", connections, connections.c.removed_at, now - self._retention),
            # Longer than any attempt may be looked at that one of them overlaps.
            Ended("sign-in URLs", sign_in_urls, sign_in_urls.c.minted_at, now - 3 * LATE),
            *self._ended_webhooks(now),
            Ended("rate limits", rate_limits, rate_limits.c.ends_at, now),
            *([Ended("images", images, image.at, now - UNNAMED_KEPT, is_unnamed())] if looks else []),
        )

    def _ended_webhooks(self, now: datetime) -> Sequence[Ended]:
        delivery, endpoint, until = webhook_deliveries.c, webhook_endpoints.c, now - self._webhooks
        is_over = func.coalesce(delivery.queued_at, delivery.created_at) < until
        unsent = ~exists(select(delivery.id).where(delivery.event_id == outbox.c.id))
        return (
            # One that was sent again is kept, with its event, for as long as one of that day.
            Ended("webhook deliveries", webhook_deliveries, delivery.created_at, until, is_over),
            # Their deliveries go first: none is without what it would send.
            Ended("webhook events", outbox, outbox.c.at, until - timedelta(days=1), unsent),
            Ended("webhook endpoints", webhook_endpoints, endpoint.removed_at, until),
        )

    def forget(self, now: datetime, limit: int, only: Set[str] | None = None) -> dict[str, int]:
        """Delete at most ``limit`` rows of each kind, each kind in a transaction; how many went, by name.

        ``only`` names the kinds that are meant, when not all are.
        """
        looks = self._looked_at is None or now - self._looked_at >= LOOKED_AT_EVERY
        wanted = [kind for kind in self.ended(now, looks=looks) if only is None or kind.name in only]
        gone = {kind.name: self._forget(kind, limit) for kind in wanted}
        if looks and gone.get("images", limit) < limit:
            self._looked_at = now
        return gone

    def _forget(self, kind: Ended, limit: int) -> int:
        # Several workers purge at once: on PostgreSQL each takes rows that no other has taken.
        some = kind.oldest(limit).with_for_update(skip_locked=True)
        with self._writer.begin() as connection:
            gone = delete(kind.table).where(tuple_(*kind.table.primary_key.columns).in_(some))
            return connection.execute(gone).rowcount
