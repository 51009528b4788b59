"""Connections are looked at although nobody asks: seldom, by one worker, and an outage changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, delete, insert, select
from structlog.testing import capture_logs

from bff.common.errors import AccountOfAnotherProduct, PartnerUnavailable
from bff.connections.connection import Change, State
from bff.connections.health import AT_ONCE, LEASE, OUTAGE, Health
from bff.connections.ledger import SPREAD, Ledger
from bff.connections.store import DatabaseConnections, decide_within
from bff.identity.principal import AccountRef
from bff.storage.tables import attempts, connections, outbox, products
from tests.connections.test_store import ADAS
from tests.support.connections import hear
from tests.support.model_partner import Clock
from tests.support.watched_core import WatchedPartner

EVERY = timedelta(hours=1)


class Scene:
    """A partner service, and accounts that have something connected there."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.clock = Clock()
        self.partner = WatchedPartner(self.clock, authenticated=True)
        self.store = DatabaseConnections(engine)
        self.health = Health(Ledger(self.store, self.clock, EVERY, decide_within), self.partner, self.clock)

    def has(self, *accounts: str) -> None:
        """Each has something connected, and is due."""
        for account in accounts:
            row = replace(ADAS, account_id=account, changed_at=self.clock(), look_at=self.clock())
            assert self.store.apply(Change(row), None)

    def looked(self) -> list[str]:
        """The accounts that the partner service was asked about."""
        return [account.id for (account,) in self.partner.of("list")]

    def events(self) -> list[str]:
        """What is to be told."""
        with self.engine.connect() as connection:
            return list(connection.execute(select(outbox.c.type)).scalars())


@pytest.fixture
def scene(core_engine: Engine) -> Scene:
    """Nothing is connected yet."""
    with core_engine.begin() as connection:
        for table in (connections, outbox, attempts):
            connection.execute(delete(table))
    hear(core_engine)
    return Scene(core_engine)


def test_each_account_is_asked_about_once_in_its_time(scene: Scene) -> None:
    """With one question, whatever it has connected; then again, an hour later, give or take."""
    scene.has("acme", "other")
    assert (scene.health.look(), scene.health.look()) == (2, 0)
    assert scene.looked() == ["acme", "other"]
    scene.clock.now += EVERY * (1 - SPREAD) - timedelta(seconds=1)
    assert scene.health.look() == 0
    scene.clock.now += EVERY * 2 * SPREAD + timedelta(seconds=2)
    assert scene.health.look() == 2
    assert scene.events() == []


def test_what_was_stored_without_checks_is_looked_at_once_they_are_on(scene: Scene) -> None:
    """When a worker starts; not while they are off."""
    row = replace(ADAS, account_id="acme", changed_at=scene.clock(), look_at=None)
    assert scene.store.apply(Change(row), None)
    with scene.engine.begin() as connection:
        connection.execute(delete(products))
        connection.execute(insert(products).values(key="demo", name="Demo", document={}))
    off = Health(Ledger(scene.store, scene.clock, None, decide_within), scene.partner, scene.clock)
    assert (off.look(), scene.health.look(), scene.health.look()) == (0, 1, 0)
    scene.clock.now += EVERY * (1 + SPREAD)
    assert scene.health.look() == 1
    with scene.engine.begin() as connection:
        connection.execute(delete(products))


def test_an_end_is_told_though_nobody_looked(scene: Scene) -> None:
    """Once; and what has healed, as seldom as anything else is asked about."""
    scene.has("acme")
    scene.partner.authenticated = False
    scene.health.look()
    assert scene.store.of_account("demo", "acme")[7].state is State.NEEDS_RECONNECT
    scene.clock.now += EVERY * (1 + SPREAD)
    assert scene.health.look() == 1
    scene.partner.authenticated = True
    assert scene.health.look() == 0
    scene.clock.now += EVERY * (1 + SPREAD)
    assert scene.health.look() == 1
    assert scene.events() == ["connection.needs_reconnect", "connection.reconnected"]


def test_an_outage_ends_the_round_and_leaves_what_was_due(scene: Scene) -> None:
    """Few questions find it; everything is asked about later, those once their leases have ended."""
    scene.has(*(f"account-{account_connector_id}" for account_connector_id in range(OUTAGE + 2)))
    scene.partner.fails = {"list"}
    assert scene.health.look() == 0
    assert len(scene.looked()) == OUTAGE
    scene.partner.fails = set()
    scene.clock.now += LEASE
    assert scene.health.look() == OUTAGE + 2
    assert scene.events() == []


def test_a_partner_service_that_wants_to_be_left_alone_is_asked_once(scene: Scene) -> None:
    """It has named a time; nobody needs to be asked again to know."""
    scene.has("acme", "other")
    scene.partner.troubles = {"acme": PartnerUnavailable("busy", retry_after=30.0)}
    assert scene.health.look() == 0
    assert scene.looked() == ["acme"]


TROUBLES = {
    "refused": PartnerUnavailable("it answered 403", refused=True),
    "odd answers": PartnerUnavailable("it answered 500"),
    "unforeseen": ValueError("nobody foresaw it"),
    "another product's": AccountOfAnotherProduct("not yours"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_an_account_that_cannot_be_looked_at_delays_no_other(scene: Scene, trouble: str) -> None:
    """It is tried once more soon, then as seldom as any other; it is told once, and heals by itself."""
    scene.has("bad", "acme", "other")
    scene.partner.troubles = {"bad": TROUBLES[trouble]}
    with capture_logs() as told:
        assert scene.health.look() == 2
        scene.has("third")
        scene.clock.now += LEASE
        assert scene.health.look() == 1
        scene.clock.now += LEASE
        assert scene.health.look() == 0
        scene.clock.now += EVERY * (1 + SPREAD)
        assert scene.health.look() == 3
    assert scene.looked().count("bad") == 3
    assert [(line["event"], line["account"]) for line in told] == [("an account cannot be looked at", "bad")]
    scene.partner.troubles = {}
    scene.clock.now += EVERY * (1 + SPREAD)
    assert scene.health.look() == 4
    assert scene.events() == []


def test_many_accounts_that_are_refused_do_not_fill_the_rounds(scene: Scene) -> None:
    """A whole product of them: whoever is due behind them has a turn in time."""
    bad = [f"bad-{account_connector_id}" for account_connector_id in range(2 * AT_ONCE)]
    scene.has(*bad)
    scene.clock.now += timedelta(seconds=1)
    scene.has("acme")
    scene.partner.troubles = dict.fromkeys(bad, TROUBLES["refused"])
    assert [scene.health.look() for _ in range(3)] == [0, 0, 1]
    scene.clock.now += LEASE
    assert [scene.health.look() for _ in range(3)] == [0, 0, 0]
    asked = len(scene.looked())
    scene.clock.now += LEASE
    scene.health.look()
    assert len(scene.looked()) == asked


def test_a_round_is_bounded_and_can_be_stopped(scene: Scene) -> None:
    """However many are due."""
    scene.has(*(f"account-{account_connector_id}" for account_connector_id in range(AT_ONCE + 5)))
    assert scene.health.look(lambda: True) == 0
    assert scene.health.look() == AT_ONCE
    assert scene.health.look() == 5


def test_what_is_missing_from_a_list_is_asked_for_by_itself(scene: Scene) -> None:
    """Lists are read page by page: it is gone only if it is gone when it is asked for."""
    scene.has("acme")
    scene.partner.installed = []
    scene.health.look()
    assert scene.events() == []
    scene.partner.gone = True
    scene.clock.now += EVERY * 2
    scene.health.look()
    assert scene.events() == ["connection.disconnected"]


def test_what_a_draft_has_connected_is_looked_after_by_nobody(scene: Scene) -> None:
    """It is shown to whoever asks, and not noted: neither told, nor looked at ever after."""
    ledger = Ledger(scene.store, scene.clock, EVERY, decide_within)
    blank = replace(ADAS, product="demo~draft", state=State.DISCONNECTED, changed_at=scene.clock())
    seen = scene.partner.get_account_connector(
        AccountRef("acme", "acme", "demo~draft"), blank.account_connector_id
    )
    assert ledger.compare(None, blank, seen).state is State.CONNECTED
    assert scene.store.of_account("demo~draft", blank.account_id) == {}
    scene.clock.now += EVERY * 2
    assert scene.health.look() == 0
