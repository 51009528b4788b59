"""Webhook endpoints in the database: as the product file registered them, with their delivery state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, insert, select, update

from bff.common.errors import NotFound
from bff.common.secret import Secret
from bff.products.webhook_endpoint import WebhookEndpoint, wants
from bff.serving.database import writing
from bff.storage.schema import SCHEMA
from bff.storage.sealing import Place, Sealing
from bff.storage.tables import webhook_endpoints
from bff.webhooks.key_faults import foreign_keys

GONE: Final = "gone"
"""Reason for switching an endpoint off: it answered 410 (Gone)."""
_table: Final = webhook_endpoints.c


@dataclass(frozen=True)
class StoredEndpoint:
    """A row of ``webhook_endpoints``.

    ``failures`` counts the consecutive batches in which its receiver was in trouble. ``sealed`` holds its
    signing secrets, encrypted.
    """

    id: str
    product: str
    url: str
    events: tuple[str, ...]
    created_at: datetime
    off_at: datetime | None
    off_reason: str | None
    removed_at: datetime | None
    failures: int
    sealed: str

    @property
    def is_on(self) -> bool:
        """Whether events are delivered to it."""
        return self.off_at is None and self.removed_at is None

    @property
    def state(self) -> str:
        """``on``, ``failing`` (its last batch failed, so deliveries are delayed) or ``off``."""
        if not self.is_on:
            return "off"
        return "failing" if self.failures else "on"

    def wants(self, event_type: str) -> bool:
        """Whether events of this type are delivered to it."""
        return self.is_on and wants(self.events, event_type)


class DatabaseEndpoints:
    """Reads and writes ``webhook_endpoints``.

    Secrets are encrypted at rest and decrypted only to sign. ``sealing`` is called when one is needed, so
    that a program without webhooks needs no sealing keys.
    """

    def __init__(self, engine: Engine, sealing: Callable[[], Sealing], clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._sealing = sealing
        self._clock = clock

    def replace(self, product: str, endpoints: Sequence[WebhookEndpoint]) -> None:
        """Make ``endpoints`` the only endpoints of a product.

        An endpoint whose URL stays keeps its state, switched off or not. One that is left out is marked as
        removed and as due: the delivery thread then fails what still waits for it.
        """
        with self._writer.begin() as connection:
            # Several workers apply the same file when they start.
            SCHEMA.one_at_a_time(connection)
            self.replace_within(connection, product, endpoints)

    def replace_within(
        self, connection: Connection, product: str, endpoints: Sequence[WebhookEndpoint]
    ) -> None:
        """The same in the caller's transaction, which no other worker runs at the same time."""
        now = self._clock()
        known = set(connection.execute(select(_table.id).where(_table.product == product)).scalars())
        for endpoint in endpoints:
            self._put(connection, endpoint, now, is_known=endpoint.id in known)
        gone = known - {endpoint.id for endpoint in endpoints}
        left = _table.id.in_(gone) & _table.removed_at.is_(None)
        connection.execute(update(webhook_endpoints).where(left).values(removed_at=now, due_at=now, lane=0))

    def of_product(self, product: str) -> list[StoredEndpoint]:
        """The endpoints of a product, oldest first."""
        return self._read((_table.product == product) & _table.removed_at.is_(None))

    def all(self) -> list[StoredEndpoint]:
        """The endpoints of every product."""
        return self._read(_table.removed_at.is_(None))

    def find(self, endpoint_id: str) -> StoredEndpoint | None:
        """The endpoint with this id, removed ones included."""
        return next(iter(self._read(_table.id == endpoint_id)), None)

    def require(self, product: str, endpoint_id: str) -> StoredEndpoint:
        """The product's endpoint with this id. Raises ``NotFound``, also for a removed one."""
        found = self.find(endpoint_id)
        if found is None or found.product != product or found.removed_at is not None:
            raise NotFound(f"there is no webhook endpoint {endpoint_id!r}")
        return found

    def secrets(self, endpoint: StoredEndpoint) -> list[Secret]:
        """The signing secrets, newest first. Raises ``CannotOpen``."""
        opened = self._sealing().open(endpoint.sealed, _place(endpoint.id)).reveal()
        return [Secret(text) for text in opened.split(",")]

    def foreign_keys(self) -> list[str]:
        """A line for each product whose secrets are sealed with a key that is missing."""
        return foreign_keys(self._engine, self._sealing())

    def switch_off(self, endpoint_id: str, reason: str) -> bool:
        """Stop deliveries to an endpoint. Returns False if it was off already."""
        now = self._clock()
        still_on = (_table.id == endpoint_id) & _table.off_at.is_(None)
        off = (
            update(webhook_endpoints)
            .where(still_on)
            .values(off_at=now, off_reason=reason, due_at=now, lane=0)
        )
        with self._writer.begin() as connection:
            return connection.execute(off).rowcount > 0

    def switch_on(self, product: str, endpoint_id: str) -> None:
        """Resume deliveries, for events from now on. Raises ``NotFound``."""
        self.require(product, endpoint_id)
        fresh = {"off_at": None, "off_reason": None, "failures": 0, "lane": 0}
        with self._writer.begin() as connection:
            connection.execute(update(webhook_endpoints).where(_table.id == endpoint_id).values(fresh))

    def _put(
        self, connection: Connection, endpoint: WebhookEndpoint, now: datetime, *, is_known: bool
    ) -> None:
        joined = Secret(",".join(secret.reveal() for secret in endpoint.secrets))
        values: dict[str, Any] = {
            "url": endpoint.url,
            "events": list(endpoint.events),
            "sealed": self._sealing().seal(joined, _place(endpoint.id)),
            "removed_at": None,
        }
        if is_known:
            connection.execute(update(webhook_endpoints).where(_table.id == endpoint.id).values(values))
            return
        new = {"id": endpoint.id, "product": endpoint.product, "created_at": now, **values}
        connection.execute(insert(webhook_endpoints).values(new))

    def _read(self, which: Any) -> list[StoredEndpoint]:
        query = select(webhook_endpoints).where(which).order_by(_table.created_at, _table.id)
        with self._engine.connect() as connection:
            return [stored(row) for row in connection.execute(query)]


def stored(row: Row[Any]) -> StoredEndpoint:
    """The endpoint of a row of ``webhook_endpoints``."""
    return StoredEndpoint(
        id=row.id,
        product=row.product,
        url=row.url,
        events=tuple(row.events),
        created_at=row.created_at,
        off_at=row.off_at,
        off_reason=row.off_reason,
        removed_at=row.removed_at,
        failures=row.failures,
        sealed=row.sealed,
    )


def _place(endpoint_id: str) -> Place:
    return Place("webhook_endpoints", endpoint_id, "sealed")
