"""Turns recorded events into deliveries: one for each endpoint that subscribes to the event's type."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, delete, insert, or_, select, update

from bff.serving.database import writing
from bff.serving.readable_rows import ReadableRows
from bff.storage.tables import outbox, webhook_deliveries, webhook_endpoints
from bff.webhooks.bodies import Bodies, RecordedEvent
from bff.webhooks.endpoints import StoredEndpoint, stored

BATCH: Final = 50
"""Events per transaction. It holds SQLite's one write lock for a few milliseconds, while a click may wait."""


class FanOut:
    """Queues deliveries. Safe in many workers at once: a compare-and-set gives each event to one of them."""

    def __init__(self, engine: Engine, bodies: Bodies, clock: Callable[[], datetime]) -> None:
        self._writer = writing(engine)
        self._bodies = bodies
        self._clock = clock
        self._events = ReadableRows(engine.connect, outbox.c.id, _event)
        self._endpoints = ReadableRows(engine.connect, webhook_endpoints.c.id, stored)

    def once(self) -> int:
        """Queue the deliveries of the oldest unqueued events. Returns how many events, at most ``BATCH``."""
        events, endpoints = self._read()
        if not events:
            return 0
        # Bodies are built before the transaction, which holds SQLite's one write lock.
        prepared = [made for event in events if (made := self._prepare(event, endpoints)) is not None]
        now, due = self._clock(), set[str]()
        with self._writer.begin() as connection:
            for event, subscribers, body in prepared:
                if body is None or not subscribers:
                    connection.execute(delete(outbox).where(outbox.c.id == event.id))
                elif _take(connection, event, body, now):
                    _queue(connection, event, subscribers, now)
                    due |= {endpoint.id for endpoint in subscribers}
            mark_due(connection, due, now)
        return len(events)

    def _read(self) -> tuple[list[RecordedEvent], dict[str, list[StoredEndpoint]]]:
        oldest = select(outbox).where(outbox.c.queued_at.is_(None)).order_by(outbox.c.at, outbox.c.id)
        events = self._events.read(oldest.limit(BATCH))
        endpoints: dict[str, list[StoredEndpoint]] = {}
        if events:
            of_them = webhook_endpoints.c.product.in_({event.product for event in events})
            for endpoint in self._endpoints.read(select(webhook_endpoints).where(of_them)):
                endpoints.setdefault(endpoint.product, []).append(endpoint)
        return events, endpoints

    def _prepare(
        self, event: RecordedEvent, endpoints: dict[str, list[StoredEndpoint]]
    ) -> tuple[RecordedEvent, list[StoredEndpoint], str | None] | None:
        """The event with its subscribers and body; None, and it is set aside, if its body cannot be made."""
        try:
            return event, self._subscribers(event, endpoints), self._bodies.of(event)
        except Exception as error:  # noqa: BLE001  # one event must not hold up the others
            self._events.set_aside(event.id, error)
            return None

    def _subscribers(
        self, event: RecordedEvent, endpoints: dict[str, list[StoredEndpoint]]
    ) -> list[StoredEndpoint]:
        return [each for each in endpoints.get(event.product, []) if each.wants(event.type)]


def _take(connection: Connection, event: RecordedEvent, body: str, now: datetime) -> bool:
    condition = (outbox.c.id == event.id) & outbox.c.queued_at.is_(None)
    return connection.execute(update(outbox).where(condition).values(body=body, queued_at=now)).rowcount > 0


def _queue(
    connection: Connection, event: RecordedEvent, endpoints: Sequence[StoredEndpoint], now: datetime
) -> None:
    rows = [delivery_row(event, endpoint.id, now, now) for endpoint in endpoints]
    connection.execute(insert(webhook_deliveries), rows)


def delivery_row(event: RecordedEvent, endpoint_id: str, now: datetime, next_at: datetime) -> dict[str, Any]:
    """A new delivery, queued ``now``, to be tried at ``next_at``."""
    return {
        "id": "whd_" + secrets.token_urlsafe(18),
        "event_id": event.id,
        "endpoint_id": endpoint_id,
        "product": event.product,
        "type": event.type,
        "subject": event.subject,
        "status": "pending",
        "created_at": event.at,
        "queued_at": now,
        "next_at": next_at,
    }


def mark_due(connection: Connection, endpoint_ids: Iterable[str], now: datetime) -> None:
    """Make these endpoints due at ``now``. A failing one keeps its later time, so its back-off stands."""
    table = webhook_endpoints.c
    sooner = or_(table.due_at.is_(None), (table.failures == 0) & (table.due_at > now))
    # Sorted, so that two workers that lock several rows cannot deadlock.
    for endpoint_id in sorted(endpoint_ids):
        is_endpoint = table.id == endpoint_id
        # Locked even if it stays as it is: ``WebhookQueue.release`` reads what is queued under the same lock.
        connection.execute(select(table.id).where(is_endpoint).with_for_update()).one_or_none()
        connection.execute(update(webhook_endpoints).where(is_endpoint, sooner).values(due_at=now))


def _event(row: Row[Any]) -> RecordedEvent:
    return RecordedEvent(row.id, row.type, row.product, row.account_id, row.subject, row.data, row.at)
