"""The delivery queue. A worker leases one endpoint at a time and sends what is due there.

The lease limits concurrency for each receiver, however many workers run. It also keeps a receiver's events in
order as long as it accepts them. When a worker dies, its endpoint waits until the lease expires.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, Select, func, or_, select, update

from bff.serving.database import writing
from bff.serving.readable_rows import ReadableRows
from bff.storage.tables import IS_PENDING, outbox, webhook_deliveries, webhook_endpoints
from bff.webhooks.endpoints import StoredEndpoint, stored
from bff.webhooks.sender import Outcome

LEASE: Final = timedelta(seconds=30)
"""Longer than any batch takes: its deliveries run in parallel, each within a deadline of 15 seconds."""
HEALTHY, TROUBLED = 0, 1
"""Lanes. Endpoints that failed or were slow the last time are in the second. It gets half of the slots."""
GIVEN_UP_AT_ONCE: Final = 200
"""Deliveries that one transaction of ``give_up`` fails."""
_endpoint: Final = webhook_endpoints.c
_delivery: Final = webhook_deliveries.c
_QUEUED_AT: Final = func.coalesce(_delivery.queued_at, _delivery.created_at)
"""When a delivery was queued. Rows of a release without ``queued_at`` fall back to ``created_at``."""


@dataclass(frozen=True)
class Delivery:
    """A delivery to try. ``attempts`` counts its tries since ``queued_at``."""

    id: str
    event_id: str
    type: str
    attempts: int
    queued_at: datetime
    body: str


@dataclass(frozen=True)
class Tried:
    """A finished try. ``status`` is the delivery's from now on: pending, delivered or failed.

    ``next_at`` is the time of the next try, meaningful for a pending one only.
    """

    delivery: Delivery
    outcome: Outcome
    status: str
    at: datetime
    next_at: datetime


class Queue:
    """Leases endpoints and stores results. Safe in many workers at once."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._clock = clock
        self._endpoints = ReadableRows(engine.connect, _endpoint.id, stored)
        self._deliveries = ReadableRows(engine.connect, _delivery.id, _delivery_of)

    def lease(self, lane: int, limit: int) -> list[StoredEndpoint]:
        """Lease at most ``limit`` due endpoints of a lane, the longest waiting first."""
        now = self._clock()
        due = (_endpoint.lane == lane) & (_endpoint.due_at <= now)
        free = or_(_endpoint.leased_until.is_(None), _endpoint.leased_until <= now)
        longest = select(_endpoint.id).where(due, free).order_by(_endpoint.due_at).limit(limit)
        with self._engine.connect() as connection:
            ids = list(connection.execute(longest).scalars())
        return [leased for each in ids if (leased := self._take(each, due & free, now))]

    def next_due(self) -> datetime | None:
        """When the next unleased endpoint is due. None when nothing waits."""
        free = or_(_endpoint.leased_until.is_(None), _endpoint.leased_until <= self._clock())
        times: list[datetime] = []
        with self._engine.connect() as connection:
            for lane in (HEALTHY, TROUBLED):
                condition = (_endpoint.lane == lane) & _endpoint.due_at.is_not(None)
                first = select(_endpoint.due_at).where(condition, free).order_by(_endpoint.due_at).limit(1)
                times += connection.execute(first).scalars()
        return min(times, default=None)

    def extend(self, endpoint_id: str) -> None:
        """Renew the lease before another batch."""
        until = self._clock() + LEASE
        with self._writer.begin() as connection:
            change = update(webhook_endpoints).where(_endpoint.id == endpoint_id)
            connection.execute(change.values(leased_until=until))

    def due(self, endpoint_id: str, limit: int) -> list[Delivery]:
        """At most ``limit`` deliveries of an endpoint that are due, the longest waiting first."""
        now = self._clock()
        condition = (_delivery.endpoint_id == endpoint_id) & IS_PENDING & (_delivery.next_at <= now)
        query = _deliveries(condition).order_by(_delivery.next_at, _delivery.created_at).limit(limit)
        return self._deliveries.read(query)

    def find(self, delivery_id: str) -> Delivery | None:
        """The delivery with this id, whatever its status. None when it or its event has been deleted."""
        with self._engine.connect() as connection:
            row = connection.execute(_deliveries(_delivery.id == delivery_id)).one_or_none()
        return _delivery_of(row) if row else None

    def store(self, tried: Sequence[Tried]) -> None:
        """Store the results of tries."""
        with self._writer.begin() as connection:
            for each in tried:
                change = update(webhook_deliveries).where(_delivery.id == each.delivery.id)
                connection.execute(change.values(_columns(each)))

    def give_up(self, endpoint_id: str, error: str, queued_before: datetime | None = None) -> int:
        """Fail at most ``GIVEN_UP_AT_ONCE`` pending deliveries of an endpoint without a try.

        Returns how many. The endpoint stays due while more are pending, so the next run continues.
        """
        waiting = (_delivery.endpoint_id == endpoint_id) & IS_PENDING
        if queued_before is not None:
            waiting &= queued_before > _QUEUED_AT
        batch = select(_delivery.id).where(waiting).limit(GIVEN_UP_AT_ONCE)
        failed = update(webhook_deliveries).where(_delivery.id.in_(batch), IS_PENDING)
        with self._writer.begin() as connection:
            return connection.execute(failed.values(status="failed", error=error)).rowcount

    def release(self, endpoint_id: str, *, failures: int, lane: int, rest: timedelta) -> None:
        """End the lease. The endpoint is due again with its next delivery, but not before ``rest`` is up."""
        now = self._clock()
        is_endpoint = _endpoint.id == endpoint_id
        with self._writer.begin() as connection:
            # Lock the row before reading: whoever queues a delivery meanwhile locks it too, in ``mark_due``.
            connection.execute(select(_endpoint.id).where(is_endpoint).with_for_update()).one_or_none()
            next_at = _next_try_at(connection, endpoint_id)
            # Not earlier than now, even if more is due: endpoints that have waited longer come first.
            due_at = None if next_at is None else max(next_at, now + rest)
            values = {"leased_until": None, "failures": failures, "lane": lane, "due_at": due_at}
            connection.execute(update(webhook_endpoints).where(is_endpoint).values(values))

    def waiting(self) -> tuple[int, float]:
        """Count the pending deliveries. Also returns the age in seconds of the oldest one."""
        counted = select(func.count(), func.min(_QUEUED_AT)).where(IS_PENDING)
        with self._engine.connect() as connection:
            count, oldest = connection.execute(counted).one()
        return count, max(0.0, (self._clock() - oldest).total_seconds()) if oldest else 0.0

    def switched_off(self) -> int:
        """Count the endpoints that are switched off."""
        off = _endpoint.off_at.is_not(None) & _endpoint.removed_at.is_(None)
        with self._engine.connect() as connection:
            return int(connection.execute(select(func.count()).where(off)).scalar_one())

    def _take(self, endpoint_id: str, free: Any, now: datetime) -> StoredEndpoint | None:
        """Lease an endpoint; None if another worker has it, or if it cannot be read."""
        mine = update(webhook_endpoints).where(_endpoint.id == endpoint_id, free)
        with self._writer.begin() as connection:
            if not connection.execute(mine.values(leased_until=now + LEASE)).rowcount:
                return None
        # Read after the lease is stored: an unreadable one then waits like any other.
        found = self._endpoints.read(select(webhook_endpoints).where(_endpoint.id == endpoint_id))
        return found[0] if found else None


def _next_try_at(connection: Connection, endpoint_id: str) -> datetime | None:
    # Joined with the outbox as ``due`` is: a delivery whose event is deleted would be due for ever.
    condition = (_delivery.endpoint_id == endpoint_id) & IS_PENDING
    sendable = select(_delivery.next_at).join(outbox, outbox.c.id == _delivery.event_id).where(condition)
    first = sendable.order_by(_delivery.next_at).limit(1)
    at: datetime | None = connection.execute(first).scalar()
    return at


def _deliveries(which: Any) -> Select[Any]:
    columns = (
        _delivery.id,
        _delivery.event_id,
        _delivery.type,
        _delivery.attempts,
        _QUEUED_AT.label("queued_at"),
        outbox.c.body,
    )
    return select(*columns).join(outbox, outbox.c.id == _delivery.event_id).where(which)


def _delivery_of(row: Row[Any]) -> Delivery:
    return Delivery(row.id, row.event_id, row.type, row.attempts, row.queued_at, row.body)


def _columns(tried: Tried) -> dict[str, Any]:
    return {
        "status": tried.status,
        "attempts": tried.delivery.attempts + 1,
        "last_at": tried.at,
        "next_at": tried.next_at,
        "answer_status": tried.outcome.status,
        "error": tried.outcome.error,
        "milliseconds": round(tried.outcome.seconds * 1000),
    }
