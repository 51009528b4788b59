"""Every ending of an attempt is told: in the transaction that ends it, whoever ends it, page or no page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from bff.common.secret import Secret
from bff.connect.attempt import Status
from bff.connect.new_attempt import BeginRequest
from bff.products.webhook_endpoint import WebhookEndpoint
from bff.serving.database import open_database
from bff.storage.sealing import Sealing
from bff.storage.tables import outbox, webhook_endpoints
from bff.web.kit.services import EXTENSION, Services
from bff.webhooks.endpoints import DatabaseEndpoints
from tests.support.core import ADA, ORIGIN, PRODUCT, build_core
from tests.support.databases import sqlite_url
from tests.support.receiver import Receiver, new_secret
from tests.support.studio import StudioWorld
from tests.support.waiting import wait_for
from tests.support.world import World

pytestmark = pytest.mark.one_database

ENDINGS = ["connected", "declined", "failed", "cancelled", "expired"]


class Told:
    """A product with an endpoint: what its server hears, and what it may read."""

    def __init__(self, studio: StudioWorld, receiver: Receiver) -> None:
        self.studio, self.world, self.receiver = studio, studio.world, receiver
        self.secret = new_secret()
        self.services: Services = studio.world.bff_app.extensions[EXTENSION]
        self.register(receiver.url)

    def register(self, *urls: str) -> None:
        """Its endpoints from now on."""
        secrets = (Secret(self.secret),)
        made = [WebhookEndpoint(self.studio.product, url, ("attempt.*",), secrets) for url in urls]
        self.services.webhooks.service.endpoints.replace(self.studio.product, made)

    def end(self, status: str) -> str:
        """An attempt that ends so; its id."""
        page = {"origin": self.studio.origin}
        token = self.world.session(key=self.studio.secret_key)
        opened_for = {"product": self.studio.product, "origin": self.studio.origin}
        attempt = self.world.page("POST", "/v1/attempts", token, json={"connector": "sandbox"}, **page).json()
        if status == "cancelled":
            self.world.page("POST", f"/v1/attempts/{attempt['id']}/cancel", token, json={}, **page)
            return str(attempt["id"])
        launched = self.world.launch(attempt["launch_token"], opened_for=opened_for)
        assert launched.status_code == 303, launched.text
        if status == "failed":
            found = self.services.attempts.store.get(attempt["id"])
            assert found is not None
            self.services.attempts.poller.settle(found, {"status": Status.FAILED, "error_code": "failed"})
        elif status == "expired":
            self.world.change(attempt["id"], expires_at=datetime.now(UTC) - timedelta(hours=2))
        else:
            self.world.sign_in(launched.headers["Location"], "deny" if status == "declined" else "allow")
        return str(attempt["id"])

    def read(self, attempt: str) -> dict[str, Any]:
        """The attempt, as its server reads it."""
        path = f"/v1/attempts/{attempt}?hint=message"
        found: dict[str, Any] = self.world.server("GET", path, key=self.studio.secret_key).json()
        return found


@pytest.fixture
def told(studio: StudioWorld, receiver: Receiver) -> Iterator[Told]:
    """A product whose server is told, by a worker that runs."""
    made = Told(studio, receiver)
    courier = made.services.webhooks.new_courier()
    courier.start()
    yield made
    made.register()
    courier.stop()
    courier.join(20)


@pytest.mark.both_databases
@pytest.mark.parametrize("status", ENDINGS)
def test_every_ending_is_told_once(told: Told, status: str) -> None:
    """With the attempt as its server reads it, receipt and all; reading it again makes no second event."""
    attempt = told.end(status)
    read = told.read(attempt)
    assert read["status"] == status
    wait_for(lambda: told.receiver.got, 10)
    told.read(attempt)
    [message] = told.receiver.got
    said = message.verified(told.secret)
    assert (said["type"], said["product"]) == ("attempt.settled", told.studio.product)
    assert said["data"] == {name: value for name, value in read.items() if name != "timeline"}
    assert said["data"]["account"] == told.world.account
    assert said["data"]["user"] == "ada"
    assert bool(said["data"]["receipt"]) == (status == "connected")


@pytest.mark.both_databases
def test_an_ending_is_told_although_no_page_is_there(told: Told) -> None:
    """The page is gone, and nobody reads: housekeeping ends the attempt, and the server is told."""
    attempt = told.end("expired")
    told.services.upkeep.housekeeping.end_overdue()
    wait_for(lambda: told.receiver.got, 10)
    assert [(each["data"]["id"], each["data"]["status"]) for each in told.receiver.events()] == [
        (attempt, "expired")
    ]


def test_a_success_after_the_end_is_an_event_of_its_own(told: Told) -> None:
    """The status stays; what was told is not told otherwise, and the late success is told once."""
    page = {"origin": told.studio.origin}
    token = told.world.session(key=told.studio.secret_key)
    opened_for = {"product": told.studio.product, "origin": told.studio.origin}
    attempt = told.world.page("POST", "/v1/attempts", token, json={"connector": "sandbox"}, **page).json()
    url = told.world.launch(attempt["launch_token"], opened_for=opened_for).headers["Location"]
    told.world.page("POST", f"/v1/attempts/{attempt['id']}/cancel", token, json={}, **page)
    told.world.sign_in(url)
    told.read(attempt["id"])
    wait_for(lambda: len(told.receiver.got) == 2, 10)
    settled, late = sorted(told.receiver.events(), key=lambda each: str(each["created_at"]))
    assert (settled["type"], late["type"]) == ("attempt.settled", "attempt.late_success")
    assert settled["data"]["status"] == late["data"]["status"] == "cancelled"
    assert late["data"]["late_success"]["external_account"] == "ada@sandbox.example"


def test_a91_an_ending_and_its_event_are_kept_together_or_not_at_all(tmp_path: Path) -> None:
    """When the event cannot be written, the attempt has not ended; the next try ends it, and tells it."""
    core = build_core(sqlite_url(tmp_path, "bff"))
    engine = core.attempts._engine
    endpoints = DatabaseEndpoints(engine, lambda: Sealing([Secret("k" * 40)]), core.clock)
    endpoints.replace(
        "demo", [WebhookEndpoint("demo", "http://127.0.0.1:1/", ("*",), (Secret(new_secret()),))]
    )
    attempt, _ = core.connect.begin(PRODUCT, ADA, BeginRequest("crm", ORIGIN))
    with engine.begin() as connection:
        full = "CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'full'); END"
        connection.exec_driver_sql(full)
    with pytest.raises(SQLAlchemyError):
        core.connect.cancel(attempt)
    assert core.read(attempt).status is Status.CREATED
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    core.connect.cancel(attempt)
    core.connect.cancel(attempt)
    assert core.read(attempt).status is Status.CANCELLED
    with engine.connect() as connection:
        told = connection.execute(select(outbox.c.type, outbox.c.subject)).all()
    assert [tuple(row) for row in told] == [("attempt.settled", attempt.id)]


@pytest.mark.both_databases
def test_a_product_without_endpoints_leaves_no_event(world: World) -> None:
    """Nothing is written for nobody, nor for an endpoint that was removed."""
    engine = open_database(world.bff_database)
    with engine.begin() as connection:
        ours = webhook_endpoints.c.product == "demo"
        connection.execute(update(webhook_endpoints).where(ours).values(removed_at=datetime.now(UTC)))
    attempt = world.connect(world.session())
    assert world.read(attempt)["status"] == "connected"
    with engine.connect() as connection:
        assert connection.execute(select(outbox.c.id).where(outbox.c.subject == attempt)).all() == []
    engine.dispose()
