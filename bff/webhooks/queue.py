"""The queue of deliveries: an endpoint is leased by one worker at a time, which works through what is due.

So there is a bound for each receiver however many workers there are, its events go in their order as far as
it takes them, and a worker that dies holds one endpoint up for the length of a lease.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, Select, func, or_, select, update

from bff.serving.database import writing
from bff.storage.tables import IS_PENDING, outbox, webhook_deliveries, webhook_endpoints
from bff.webhooks.endpoints import StoredEndpoint, stored
from bff.webhooks.sender import Outcome

LEASE: Final = timedelta(seconds=30)
"""Longer than any batch of deliveries takes: each ends within its deadline of 15 seconds."""
HEALTHY, TROUBLED = 0, 1
"""Lanes. In the second are receivers that failed or were slow the last time: they get half of the room."""
GIVEN_UP_AT_ONCE: Final = 200
_endpoint: Final = webhook_endpoints.c
_delivery: Final = webhook_deliveries.c
_QUEUED_AT: Final = func.coalesce(_delivery.queued_at, _delivery.created_at)
"""Since when it is tried. Of those that an earlier release queued that is not known; they soon ended."""


@dataclass(frozen=True)
class Delivery:
    """A delivery that is to be tried. ``attempts``: how often it was since ``queued_at``."""

    id: str
    event_id: str
    type: str
    attempts: int
    queued_at: datetime
    body: str


@dataclass(frozen=True)
class Tried:
    """What became of a try, and when the next one is; ``status`` is pending, delivered or failed."""

    delivery: Delivery
    outcome: Outcome
    status: str
    at: datetime
    next_at: datetime


class Queue:
    """Any number of workers may use it at once."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._clock = clock

    def lease(self, lane: int, limit: int) -> list[StoredEndpoint]:
        """At most ``limit`` endpoints of a lane that something is due for, the longest waiting first."""
        now = self._clock()
        due = (_endpoint.lane == lane) & (_endpoint.due_at <= now)
        free = or_(_endpoint.leased_until.is_(None), _endpoint.leased_until <= now)
        longest = select(_endpoint.id).where(due, free).order_by(_endpoint.due_at).limit(limit)
        with self._engine.connect() as connection:
            found = list(connection.execute(longest).scalars())
        return [leased for each in found if (leased := self._take(each, due & free, now))]

    def next_due(self) -> datetime | None:
        """When the next endpoint is due that nobody is at; None when nothing waits."""
        free = or_(_endpoint.leased_until.is_(None), _endpoint.leased_until <= self._clock())
        found: list[datetime] = []
        with self._engine.connect() as connection:
            for lane in (HEALTHY, TROUBLED):
                ours = (_endpoint.lane == lane) & _endpoint.due_at.is_not(None)
                first = select(_endpoint.due_at).where(ours, free).order_by(_endpoint.due_at).limit(1)
                found += connection.execute(first).scalars()
        return min(found, default=None)

    def extend(self, endpoint_id: str) -> None:
        """Another batch begins: the lease lasts for this one too."""
        until = self._clock() + LEASE
        with self._writer.begin() as connection:
            ours = update(webhook_endpoints).where(_endpoint.id == endpoint_id)
            connection.execute(ours.values(leased_until=until))

    def due(self, endpoint_id: str, limit: int) -> list[Delivery]:
        """What is to be tried there now, the longest waiting first."""
        now = self._clock()
        ours = (_delivery.endpoint_id == endpoint_id) & IS_PENDING & (_delivery.next_at <= now)
        wanted = _deliveries(ours).order_by(_delivery.next_at, _delivery.created_at).limit(limit)
        with self._engine.connect() as connection:
            return [_found(row) for row in connection.execute(wanted)]

    def find(self, delivery_id: str) -> Delivery | None:
        """The delivery of this id, whatever became of it; None when it, or its event's body, is gone."""
        with self._engine.connect() as connection:
            row = connection.execute(_deliveries(_delivery.id == delivery_id)).one_or_none()
        return _found(row) if row else None

    def keep(self, tried: Sequence[Tried]) -> None:
        """Write down what became of some deliveries."""
        with self._writer.begin() as connection:
            for each in tried:
                ours = update(webhook_deliveries).where(_delivery.id == each.delivery.id)
                connection.execute(ours.values(_columns(each)))

    def give_up(self, endpoint_id: str, error: str, queued_before: datetime | None = None) -> int:
        """Fail some of what waits for an endpoint without a try; how many. Again until there is none."""
        waiting = (_delivery.endpoint_id == endpoint_id) & IS_PENDING
        if queued_before is not None:
            waiting &= queued_before > _QUEUED_AT
        some = select(_delivery.id).where(waiting).limit(GIVEN_UP_AT_ONCE)
        failed = update(webhook_deliveries).where(_delivery.id.in_(some), IS_PENDING)
        with self._writer.begin() as connection:
            return connection.execute(failed.values(status="failed", error=error)).rowcount

    def release(self, endpoint_id: str, *, failures: int, lane: int, rest: timedelta) -> None:
        """The lease ends; the endpoint is due again with its next delivery, but not before it has rested."""
        now = self._clock()
        ours = _endpoint.id == endpoint_id
        with self._writer.begin() as connection:
            # First the row: whoever queues a delivery meanwhile marks it, and is waited for, or waits.
            connection.execute(select(_endpoint.id).where(ours).with_for_update()).one_or_none()
            next_at = _next(connection, endpoint_id)
            # What is due already goes to the end of the line: others have waited for this one.
            due_at = None if next_at is None else max(next_at, now + rest)
            values = {"leased_until": None, "failures": failures, "lane": lane, "due_at": due_at}
            connection.execute(update(webhook_endpoints).where(ours).values(values))

    def waiting(self) -> tuple[int, float]:
        """How many deliveries wait, and for how many seconds the oldest of them has."""
        counted = select(func.count(), func.min(_QUEUED_AT)).where(IS_PENDING)
        with self._engine.connect() as connection:
            count, oldest = connection.execute(counted).one()
        return count, max(0.0, (self._clock() - oldest).total_seconds()) if oldest else 0.0

    def switched_off(self) -> int:
        """How many endpoints are switched off."""
        off = _endpoint.off_at.is_not(None) & _endpoint.removed_at.is_(None)
        with self._engine.connect() as connection:
            return int(connection.execute(select(func.count()).where(off)).scalar_one())

    def _take(self, endpoint_id: str, free: Any, now: datetime) -> StoredEndpoint | None:
        mine = update(webhook_endpoints).where(_endpoint.id == endpoint_id, free)
        with self._writer.begin() as connection:
            row = connection.execute(
                mine.values(leased_until=now + LEASE).returning(webhook_endpoints)
            ).one_or_none()
        return stored(row) if row else None


def _next(connection: Connection, endpoint_id: str) -> datetime | None:
    # Only what can be sent: a delivery whose event is gone would be due for ever, and never found.
    ours = (_delivery.endpoint_id == endpoint_id) & IS_PENDING
    sendable = select(_delivery.next_at).join(outbox, outbox.c.id == _delivery.event_id).where(ours)
    first = sendable.order_by(_delivery.next_at).limit(1)
    found: datetime | None = connection.execute(first).scalar()
    return found


def _deliveries(which: Any) -> Select[Any]:
    wanted = (
        _delivery.id,
        _delivery.event_id,
        _delivery.type,
        _delivery.attempts,
        _QUEUED_AT.label("queued_at"),
        outbox.c.body,
    )
    return select(*wanted).join(outbox, outbox.c.id == _delivery.event_id).where(which)


def _found(row: Row[Any]) -> Delivery:
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
