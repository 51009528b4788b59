"""Deletes old rows of all tables of the BFF, a few at a time, so that no click waits long for a lock."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Column, ColumnElement, Engine, Select, Table, delete, exists, func, select, tuple_
from sqlalchemy.exc import DatabaseError

from bff.connect.outcome import SIGN_IN_LIFE
from bff.content.logos.store import UNREFERENCED_KEPT, is_unreferenced
from bff.identity.sessions import LONGEST_SESSION
from bff.serving.database import writing
from bff.serving.logs import about
from bff.serving.readable_rows import raise_outage
from bff.storage.tables import (
    attempts,
    catalogue_entries,
    connections,
    disconnect_keys,
    ended_sessions,
    images,
    outbox,
    rate_limits,
    sign_in_urls,
    studio_invites,
    studio_sessions,
    typed_values,
    used_assertions,
    webhook_deliveries,
    webhook_endpoints,
)

UNLAUNCHED_KEPT: Final = timedelta(hours=1)
"""How long unlaunched attempts are kept after they expire. Most attempts are never launched."""
SLOW_RULES_EVERY: Final = timedelta(hours=1)
"""How often each process applies the slow rules (``_slow_rules``)."""
IDEMPOTENCY_KEYS_KEPT: Final = timedelta(hours=1)
"""How long the idempotency key of a disconnect is kept: a browser may repeat the call with it."""
CATALOGUE_KEPT: Final = timedelta(days=30)
"""How long a catalogue entry is kept after it was last read."""
INVITES_KEPT: Final = timedelta(days=30)
"""How long an expired or used invite is kept. Until then, its link opens a page that says why it fails."""

log = structlog.get_logger("hitchpost.housekeeping")


@dataclass(frozen=True)
class PurgeRule:
    """A rule: delete rows of ``table`` whose ``at`` is before ``until``, if ``condition`` is true of them."""

    name: str
    table: Table
    at: Column[datetime]
    until: datetime
    condition: ColumnElement[bool] | None = None

    def oldest(self, limit: int) -> Select[Any]:
        """The primary keys of the ``limit`` oldest rows that match.

        Ordered, so that PostgreSQL uses the index of ``at``. With a small limit and no order it scans the
        table from its start, however far the first match is.
        """
        over = self.at < self.until if self.condition is None else self.condition & (self.at < self.until)
        return select(*self.table.primary_key.columns).where(over).order_by(self.at).limit(limit)


class DatabasePurger:
    """Implements ``Purger`` by rules.

    ``retention``: how long launched attempts are kept after they expire, and connections after their account
    connector was removed. ``webhook_retention``: how long deliveries, events and removed endpoints are kept.
    """

    def __init__(
        self, engine: Engine, retention: timedelta, webhook_retention: timedelta = timedelta(days=30)
    ) -> None:
        self._writer = writing(engine)
        self._retention = retention
        self._webhook_retention = webhook_retention
        self._slow_rules_at: datetime | None = None

    def rules(self, now: datetime) -> Sequence[PurgeRule]:
        """The rules for what is past its time at ``now``, without the slow ones."""
        attempt = attempts.c
        never, launched = attempt.launched_at.is_(None), attempt.launched_at.is_not(None)
        return (
            PurgeRule("unlaunched attempts", attempts, attempt.expires_at, now - UNLAUNCHED_KEPT, never),
            PurgeRule("old attempts", attempts, attempt.expires_at, now - self._retention, launched),
            PurgeRule("Studio invites", studio_invites, studio_invites.c.expires_at, now - INVITES_KEPT),
            PurgeRule("Studio sessions", studio_sessions, studio_sessions.c.expires_at, now),
            # Every session token that was issued before ``ended_before`` has expired by then.
            PurgeRule("ended sessions", ended_sessions, ended_sessions.c.ended_before, now - LONGEST_SESSION),
            PurgeRule("used assertions", used_assertions, used_assertions.c.until, now),
            PurgeRule(
                "catalogue entries",
                catalogue_entries,
                catalogue_entries.c.read_at,
                now - CATALOGUE_KEPT,
            ),
            # Rows of removed account connectors: the partner service never reuses their ids.
            PurgeRule("old connections", connections, connections.c.removed_at, now - self._retention),
            # By then every attempt whose sign-in could be confused with one of these is decided.
            PurgeRule("sign-in URLs", sign_in_urls, sign_in_urls.c.minted_at, now - 3 * SIGN_IN_LIFE),
            PurgeRule("disconnect keys", disconnect_keys, disconnect_keys.c.at, now - IDEMPOTENCY_KEYS_KEPT),
            *self._ended_webhooks(now),
            PurgeRule("rate limits", rate_limits, rate_limits.c.ends_at, now),
        )

    def _slow_rules(self, now: datetime) -> Sequence[PurgeRule]:
        """The rules that read many rows to find a few."""
        # Every published look may name an image, and most account connectors with typed values still exist.
        typed, known = typed_values.c, connections.c
        no_connection = ~exists().where(
            known.product == typed.product,
            known.account_id == typed.account_id,
            known.account_connector_id == typed.account_connector_id,
        )
        return (
            PurgeRule("images", images, images.c.at, now - UNREFERENCED_KEPT, is_unreferenced()),
            PurgeRule("typed values", typed_values, typed.at, now - self._retention, no_connection),
        )

    def _ended_webhooks(self, now: datetime) -> Sequence[PurgeRule]:
        delivery, endpoint, until = webhook_deliveries.c, webhook_endpoints.c, now - self._webhook_retention
        is_over = func.coalesce(delivery.queued_at, delivery.created_at) < until
        no_delivery = ~exists(select(delivery.id).where(delivery.event_id == outbox.c.id))
        return (
            # A delivery that was sent again is kept for the whole time from then on, and so is its event.
            PurgeRule("webhook deliveries", webhook_deliveries, delivery.created_at, until, is_over),
            # Their deliveries are deleted first: a delivery needs its event.
            PurgeRule("webhook events", outbox, outbox.c.at, until - timedelta(days=1), no_delivery),
            PurgeRule("webhook endpoints", webhook_endpoints, endpoint.removed_at, until),
        )

    def delete_old(self, now: datetime, limit: int, only: Set[str] | None = None) -> dict[str, int]:
        """Delete at most ``limit`` rows by each rule, one transaction each; return the counts by rule.

        ``only``: the names of the rules to apply; None for all.
        """
        slow_due = self._slow_rules_at is None or now - self._slow_rules_at >= SLOW_RULES_EVERY
        slow = self._slow_rules(now) if slow_due else ()
        deleted = {
            rule.name: self._delete(rule, limit)
            for rule in (*self.rules(now), *slow)
            if only is None or rule.name in only
        }
        if slow and all(deleted.get(rule.name, limit) < limit for rule in slow):
            self._slow_rules_at = now
        return deleted

    def _delete(self, rule: PurgeRule, limit: int) -> int:
        # Several workers purge at once: on PostgreSQL each takes rows that no other has locked.
        oldest = rule.oldest(limit).with_for_update(skip_locked=True)
        matching = delete(rule.table).where(tuple_(*rule.table.primary_key.columns).in_(oldest))
        try:
            with self._writer.begin() as connection:
                return connection.execute(matching).rowcount
        except DatabaseError as error:
            # A damaged table must not keep the others from being purged.
            raise_outage(error)
            log.error("rows cannot be deleted", what=rule.name, **about(error))  # noqa: TRY400
            return 0
