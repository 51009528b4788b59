"""Webhooks over a real database, with receivers on real sockets and a clock that stands still."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from bff.common.secret import Secret
from bff.connect.attempt_view import AttemptViews
from bff.connect.receipts import Receipts
from bff.connect.store import DatabaseAttempts
from bff.content.product import Product
from bff.products.webhook_endpoint import WebhookEndpoint
from bff.serving.database import open_database
from bff.serving.destinations import Policy
from bff.storage.outbox import NewEvent, record
from bff.storage.schema import SCHEMA
from bff.storage.sealing import Sealing
from bff.storage.tables import webhook_deliveries
from bff.webhooks.bodies import Bodies
from bff.webhooks.courier import Courier
from bff.webhooks.endpoints import DatabaseEndpoints
from bff.webhooks.fan_out import FanOut
from bff.webhooks.log import DeliveryLog
from bff.webhooks.queue import HEALTHY, TROUBLED, Queue
from bff.webhooks.run import Runner
from bff.webhooks.sender import Sender, SendLimits
from bff.webhooks.service import Webhooks
from tests.support.core import PRODUCT
from tests.support.databases import DatabaseUrl, sqlite_url
from tests.support.receiver import Receiver, new_secret, open_receiver

KEY = "k" * 40
PATIENT, IMPATIENT = (
    SendLimits(connect=10.0, read=10.0, total=15.0),
    SendLimits(connect=1.0, read=0.3, total=0.4),
)
"""Limits that a busy machine never reaches, and those for receivers that are late in any case."""
NUMBERS = itertools.count(1)


@dataclass
class Clock:
    """The present, moved on when told to: receivers look at the time of their own machine."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        """The time."""
        return datetime.now(UTC) + self.ahead

    def tick(self, **by: float) -> None:
        """Let time pass."""
        self.ahead += timedelta(**by)


@cache
def sender_of(limits: SendLimits) -> Sender:
    """One for all webhooks of these limits: the first call of each reads all certificates."""
    return Sender(Policy(loopback=True), limits)


class Products:
    """A store of one product."""

    def get(self, key: str) -> Product | None:
        """The product, under any key."""
        return PRODUCT


@dataclass
class Hooks:
    """Webhooks of one product, ``product``, in a database that other tests use too."""

    engine: Engine
    limits: SendLimits = PATIENT
    clock: Clock = field(default_factory=Clock)
    product: str = field(default_factory=lambda: f"product-{next(NUMBERS)}")
    secret: str = field(default_factory=new_secret)

    def __post_init__(self) -> None:
        sealing = Sealing([Secret(KEY)])
        self.endpoints = DatabaseEndpoints(self.engine, lambda: sealing, self.clock)
        self.queue = Queue(self.engine, self.clock)
        self.runner = Runner(self.queue, self.endpoints, sender_of(self.limits), self.clock)
        views = AttemptViews(Receipts([Secret(KEY)], "https://bff.example"), "https://partner.example")
        bodies = Bodies(DatabaseAttempts(self.engine), Products(), views)  # type: ignore[arg-type]
        self.fan_out = FanOut(self.engine, bodies, self.clock)
        self.log = DeliveryLog(self.engine, self.clock)
        self.service = Webhooks(self.engine, self.endpoints, self.log, self.queue, self.runner, self.clock)

    def register(self, *urls: str, events: tuple[str, ...] = ("*",)) -> list[str]:
        """Endpoints of the product; their ids."""
        made = [WebhookEndpoint(self.product, url, events, (Secret(self.secret),)) for url in urls]
        self.endpoints.replace(self.product, made)
        return [each.id for each in made]

    def record(self, kind: str = "connection.connected", count: int = 1, **data: Any) -> None:
        """Something happens to a connection."""
        with self.engine.begin() as connection:
            for _ in range(count):
                event = NewEvent(kind, self.product, "acme", "7", {"id": "7", **data}, self.clock())
                record(connection, event)

    def deliver(self) -> None:
        """Whatever one worker does at one time."""
        while self.fan_out.once():
            pass
        for lane in (HEALTHY, TROUBLED):
            for endpoint in self.queue.lease(lane, 100):
                self.runner.run(endpoint)

    def rows(self) -> list[Any]:
        """Its deliveries, as they are stored."""
        ours = select(webhook_deliveries).where(webhook_deliveries.c.product == self.product)
        with self.engine.connect() as connection:
            return list(connection.execute(ours.order_by(webhook_deliveries.c.created_at)))

    def courier(self) -> Courier:
        """The thread of a worker."""
        return Courier(self.engine, self.fan_out, self.queue, self.runner, self.clock, every=60.0)


@pytest.fixture(scope="session")
def hooks_engine(tmp_path_factory: pytest.TempPathFactory, database_url: DatabaseUrl) -> Engine:
    """One database of each kind for the whole run."""
    engine = open_database(database_url(tmp_path_factory.mktemp("hooks"), "bff"))
    SCHEMA.upgrade(engine)
    return engine


@contextlib.contextmanager
def cleared(made: Hooks) -> Iterator[Hooks]:
    """Leave nothing of it in the queue."""
    yield made
    made.register()
    made.deliver()


@pytest.fixture
def hooks(hooks_engine: Engine) -> Iterator[Hooks]:
    """Webhooks of a product of this test's own."""
    with cleared(Hooks(hooks_engine)) as made:
        yield made


@pytest.fixture
def impatient_hooks(hooks_engine: Engine) -> Iterator[Hooks]:
    """Such webhooks that soon give up waiting for a receiver."""
    with cleared(Hooks(hooks_engine, IMPATIENT)) as made:
        yield made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of this test's own."""
    with open_receiver() as opened:
        yield opened


@pytest.fixture
def sqlite_hooks(tmp_path: Path) -> Hooks:
    """Webhooks in a database of this test's own."""
    engine = open_database(sqlite_url(tmp_path, "bff"))
    SCHEMA.upgrade(engine)
    return Hooks(engine)
