"""The delivery log: which event went to which endpoint, how many tries it took, and the last response."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, func, insert, select, update

from bff.common.cursor import Cursor
from bff.common.errors import NotFound
from bff.products.webhook_endpoint import TEST
from bff.serving.database import writing
from bff.storage.outbox import NewEvent, values_of
from bff.storage.pages import PagedQuery, place_at, place_of
from bff.storage.tables import IS_PENDING, outbox, webhook_deliveries, webhook_endpoints
from bff.webhooks.bodies import RecordedEvent, body_of
from bff.webhooks.endpoints import StoredEndpoint
from bff.webhooks.fan_out import delivery_row, mark_due

STATUSES: Final = ("pending", "delivered", "failed")
_delivery: Final = webhook_deliveries.c


@dataclass(frozen=True)
class DeliveryFilter:
    """Selects deliveries of a product. A field that is None matches any value."""

    product: str
    endpoint: str | None = None
    status: str | None = None
    event: str | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class LoggedDelivery:
    """An entry of the log.

    ``url`` is None when its endpoint was removed. ``next_at`` is the time of the next try, None unless the
    delivery is pending. ``milliseconds`` is the duration of the last try.
    """

    id: str
    event_id: str
    type: str
    subject: str
    endpoint_id: str
    url: str | None
    product: str
    status: str
    attempts: int
    created_at: datetime
    next_at: datetime | None
    last_at: datetime | None
    answer_status: int | None
    error: str | None
    milliseconds: int | None


class DeliveryLog:
    """Reads the log, and queues deliveries on request: tests and resends."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._clock = clock

    def page(
        self, filters: DeliveryFilter, limit: int, after: Cursor | None = None
    ) -> tuple[list[LoggedDelivery], Cursor | None]:
        """At most ``limit`` deliveries, newest first, and the cursor of the next page (None: no more)."""
        with self._engine.connect() as connection:
            rows, next_cursor = _page_of(filters).read(connection, limit, after)
            urls = _urls(connection, {row.endpoint_id for row in rows})
        return [_logged(row, urls) for row in rows], next_cursor

    def get(self, product: str, delivery_id: str) -> LoggedDelivery:
        """The product's delivery with this id. Raises ``NotFound``."""
        query = select(webhook_deliveries).where(_delivery.id == delivery_id, _delivery.product == product)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                raise NotFound(f"there is no webhook delivery {delivery_id!r}")
            return _logged(row, _urls(connection, {row.endpoint_id}))

    def product_of(self, delivery_id: str) -> str | None:
        """The key of the product that a delivery belongs to. None when there is no such delivery."""
        with self._engine.connect() as connection:
            statement = select(_delivery.product).where(_delivery.id == delivery_id)
            product: str | None = connection.execute(statement).scalar_one_or_none()
        return product

    def waiting(self, endpoint_id: str) -> int:
        """Count the pending deliveries of an endpoint."""
        counted = select(func.count()).where(_delivery.endpoint_id == endpoint_id, IS_PENDING)
        with self._engine.connect() as connection:
            return int(connection.execute(counted).scalar_one())

    def add_test(self, endpoint: StoredEndpoint, next_at: datetime) -> str:
        """Queue an event ``webhook.test`` for this endpoint alone. Returns the id of its delivery."""
        now = self._clock()
        values = values_of(NewEvent(TEST, endpoint.product, "", endpoint.id, None, now))
        event = RecordedEvent(values["id"], TEST, endpoint.product, "", endpoint.id, None, now)
        body = body_of(event, {"endpoint": endpoint.id, "url": endpoint.url})
        row = delivery_row(event, endpoint.id, now, next_at)
        with self._writer.begin() as connection:
            connection.execute(insert(outbox).values(values | {"body": body, "queued_at": now}))
            connection.execute(insert(webhook_deliveries).values(row))
            mark_due(connection, [endpoint.id], next_at)
        return str(row["id"])

    def queue_again(self, delivery: LoggedDelivery, next_at: datetime) -> None:
        """Queue the same event once more, with the same id and body, and a new retry schedule."""
        fresh = _requeued(self._clock(), next_at)
        with self._writer.begin() as connection:
            change = update(webhook_deliveries).where(_delivery.id == delivery.id)
            connection.execute(change.values(fresh))
            mark_due(connection, [delivery.endpoint_id], next_at)

    def queue_failed_again(
        self, endpoint: StoredEndpoint, since: datetime, limit: int, after: Cursor | None = None
    ) -> tuple[int, Cursor | None]:
        """Queue failed deliveries of an endpoint again: at most ``limit``, of events since ``since``.

        The oldest come first.
        Returns how many, and the cursor to continue from (None: the end). The cursor only moves forward, so a
        delivery that fails again meanwhile is not queued twice.
        """
        failed = (_delivery.endpoint_id == endpoint.id) & (_delivery.status == "failed")
        oldest = select(_delivery.created_at, _delivery.id).where(failed, _delivery.created_at >= since)
        if after is not None:
            oldest = oldest.where(place_of(_delivery) > place_at(after, _delivery))
        now = self._clock()
        fresh = _requeued(now, now)
        with self._writer.begin() as connection:
            found = connection.execute(oldest.order_by(_delivery.created_at, _delivery.id).limit(limit)).all()
            in_batch = failed & _delivery.id.in_([row.id for row in found])
            count = connection.execute(update(webhook_deliveries).where(in_batch).values(fresh)).rowcount
            mark_due(connection, [endpoint.id], now)
        return count, Cursor(found[-1].created_at, found[-1].id) if len(found) == limit else None


def _requeued(now: datetime, next_at: datetime) -> dict[str, Any]:
    """Columns of a resend: its retry schedule starts over, however old the event is."""
    return {"status": "pending", "attempts": 0, "queued_at": now, "next_at": next_at, "error": None}


def _page_of(filters: DeliveryFilter) -> PagedQuery:
    indexed = _delivery.product == filters.product
    if filters.endpoint is not None:
        # The endpoint's index selects better than the product's. The product is compared in ``unindexed``.
        indexed = _delivery.endpoint_id == filters.endpoint
    if filters.since is not None:
        indexed &= _delivery.created_at >= filters.since
    wanted = {
        "product": filters.product if filters.endpoint is not None else None,
        "status": filters.status,
        "type": filters.event,
    }
    named = {name: value for name, value in wanted.items() if value is not None}
    return PagedQuery(webhook_deliveries, indexed=indexed, unindexed=named)


def _urls(connection: Connection, endpoint_ids: set[str]) -> dict[str, str]:
    table = webhook_endpoints.c
    known = select(table.id, table.url).where(table.id.in_(endpoint_ids), table.removed_at.is_(None))
    return {row.id: row.url for row in connection.execute(known)}


def _logged(row: Row[Any], urls: dict[str, str]) -> LoggedDelivery:
    return LoggedDelivery(
        id=row.id,
        event_id=row.event_id,
        type=row.type,
        subject=row.subject,
        endpoint_id=row.endpoint_id,
        url=urls.get(row.endpoint_id),
        product=row.product,
        status=row.status,
        attempts=row.attempts,
        created_at=row.created_at,
        next_at=row.next_at if row.status == "pending" else None,
        last_at=row.last_at,
        answer_status=row.answer_status,
        error=row.error,
        milliseconds=row.milliseconds,
    )
