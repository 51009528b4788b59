"""Connections are looked at although nobody asks: seldom, by one worker, and an outage changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, delete, select

from bff.connections.connection import Change, State
from bff.connections.health import AT_ONCE, LEASE, Health
from bff.connections.ledger import SPREAD, Ledger
from bff.connections.store import DatabaseConnections, decide_within
from bff.identity.principal import AccountRef
from bff.storage.tables import attempts, connections, outbox
from tests.connections.test_store import ADAS
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


def test_an_end_is_told_though_nobody_looked(scene: Scene) -> None:
    """And what has ended is not asked about any more."""
    scene.has("acme")
    scene.partner.authenticated = False
    scene.health.look()
    assert scene.events() == ["connection.needs_reconnect"]
    assert scene.store.of_account("demo", "acme")[7].state is State.NEEDS_RECONNECT
    scene.clock.now += EVERY * 3
    assert scene.health.look() == 0


def test_an_outage_ends_the_round_and_leaves_what_was_due(scene: Scene) -> None:
    """One question finds it; everything is asked about later, the first once its lease has ended."""
    scene.has("acme", "other")
    scene.partner.fails = {"list"}
    assert scene.health.look() == 0
    assert len(scene.looked()) == 1
    scene.partner.fails = set()
    scene.clock.now += LEASE
    assert scene.health.look() == 2
    assert scene.events() == []


def test_a_round_is_bounded_and_can_be_stopped(scene: Scene) -> None:
    """However many are due."""
    scene.has(*(f"account-{number}" for number in range(AT_ONCE + 5)))
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
    seen = scene.partner.get_account_connector(AccountRef("acme", "acme", "demo~draft"), blank.number)
    assert ledger.compare(None, blank, seen).state is State.CONNECTED
    assert scene.store.of_account("demo~draft", blank.account_id) == {}
    scene.clock.now += EVERY * 2
    assert scene.health.look() == 0
