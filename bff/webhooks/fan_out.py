"""From events to deliveries: one for each endpoint that asks for events of its type."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, delete, insert, or_, select, update

from bff.serving.database import writing
from bff.storage.tables import outbox, webhook_deliveries, webhook_endpoints
from bff.webhooks.bodies import Bodies, RecordedEvent
from bff.webhooks.endpoints import StoredEndpoint, stored

BATCH: Final = 50
"""Events of one transaction: a few milliseconds, for which a click may wait on SQLite."""


class FanOut:
    """Any number of workers may do it at once: each event is taken by one of them (compare-and-set)."""

    def __init__(self, engine: Engine, bodies: Bodies, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._bodies = bodies
        self._clock = clock

    def once(self) -> int:
        """Queue the deliveries of the oldest events that are not queued; how many events that were."""
        events, endpoints = self._read()
        if not events:
            return 0
        # Bodies are made and signed before the transaction: SQLite's only writer is held for inserts alone.
        made = [(event, self._wanting(event, endpoints), self._bodies.of(event)) for event in events]
        now, due = self._clock(), set[str]()
        with self._writer.begin() as connection:
            for event, wanting, body in made:
                if body is None or not wanting:
                    connection.execute(delete(outbox).where(outbox.c.id == event.id))
                elif _take(connection, event, body, now):
                    _queue(connection, event, wanting, now)
                    due |= {endpoint.id for endpoint in wanting}
            mark_due(connection, due, now)
        return len(events)

    def _read(self) -> tuple[list[RecordedEvent], dict[str, list[StoredEndpoint]]]:
        oldest = select(outbox).where(outbox.c.queued_at.is_(None)).order_by(outbox.c.at, outbox.c.id)
        with self._engine.connect() as connection:
            events = [_event(row) for row in connection.execute(oldest.limit(BATCH))]
            if not events:
                return [], {}
            of_them = webhook_endpoints.c.product.in_({event.product for event in events})
            endpoints: dict[str, list[StoredEndpoint]] = {}
            for row in connection.execute(select(webhook_endpoints).where(of_them)):
                endpoints.setdefault(row.product, []).append(stored(row))
        return events, endpoints

    def _wanting(
        self, event: RecordedEvent, endpoints: dict[str, list[StoredEndpoint]]
    ) -> list[StoredEndpoint]:
        return [each for each in endpoints.get(event.product, []) if each.wants(event.type)]


def _take(connection: Connection, event: RecordedEvent, body: str, now: datetime) -> bool:
    ours = (outbox.c.id == event.id) & outbox.c.queued_at.is_(None)
    return connection.execute(update(outbox).where(ours).values(body=body, queued_at=now)).rowcount > 0


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
    """Something waits for these endpoints. One that is left alone for a while is left alone all the same."""
    table = webhook_endpoints.c
    sooner = or_(table.due_at.is_(None), (table.failures == 0) & (table.due_at > now))
    # In their order: two workers that mark several would else wait for each other.
    for endpoint_id in sorted(endpoint_ids):
        marked = update(webhook_endpoints).where(table.id == endpoint_id, sooner)
        connection.execute(marked.values(due_at=now))


def _event(row: Row[Any]) -> RecordedEvent:
    return RecordedEvent(row.id, row.type, row.product, row.account_id, row.subject, row.data, row.at)
