"""A third party that hangs does not delay what is done in the background for the others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import pytest

from bff.partner import clock
from bff.partner.context import Embedded
from bff.partner.grants import revocation, turns, upkeep
from bff.partner.grants.turns import AT_A_TIME, Turns
from bff.partner.storage import tables
from tests.support.third_party import Connection, ThirdParty, open_third_party, refused, tokens
from tests.support.waiting import wait_for
from tests.support.world import World

HANGING = range(AT_A_TIME + 2)


class Due(NamedTuple):
    """A row that is due."""

    id: int
    connector_id: int


def connections(world: World, third: ThirdParty) -> list[Connection]:
    """More at one third party than there are threads."""
    item = third.offer(world)
    return [Connection(world, item).connect() for _ in HANGING]


def hang(third: ThirdParty) -> threading.Event:
    """It answers only when the event is set."""
    answers = threading.Event()
    for endpoint in ("token", "revoke"):
        third.says[endpoint] = lambda _: (answers.wait(30), refused("temporarily_unavailable", 503))[1]
    return answers


def in_background(work: Callable[[], object]) -> threading.Thread:
    """Run it in a thread."""
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a96_a_third_party_that_hangs_delays_no_refresh_of_another(
    partner_world: World, third: ThirdParty
) -> None:
    """Its grants are more than there are threads, and due for longer; the other's is refreshed at once."""
    service = partner_world.partner_service
    asked = threading.Event()
    with open_third_party() as other:
        slow, quick = connections(partner_world, third), Connection(partner_world, other.offer(partner_world))
        quick.connect()
        other.says["token"] = lambda _: (asked.set(), tokens())[1]
        answers = hang(third)
        for place, installed in enumerate([*slow, quick]):
            installed.age(-60)
            installed.change(next_refresh_at=clock.now() - timedelta(days=900 - place))
        round_ = in_background(lambda: upkeep.look_after(service, 500))
        try:
            assert asked.wait(10)
        finally:
            answers.set()
            round_.join(60)


def test_a96_a_third_party_that_hangs_delays_no_revocation_at_another(
    partner_world: World, third: ThirdParty
) -> None:
    """Its revocations are due for longer; the other's is run at once."""
    service, asked = partner_world.partner_service, threading.Event()
    with open_third_party() as other:
        slow, quick = connections(partner_world, third), Connection(partner_world, other.offer(partner_world))
        quick.connect()
        for party in (third, other):
            party.says["revoke"] = lambda _: refused("temporarily_unavailable", 503)
        for place, installed in enumerate([*slow, quick]):
            installed.api.call("PUT", f"{installed.path}/deauthenticate")
            installed.change_noted(next_at=clock.now() - timedelta(days=900 - place))
        other.says["revoke"] = lambda _: (asked.set(), {})[1]
        answers = hang(third)
        round_ = in_background(lambda: revocation.retry_revocations(service, 50))
        try:
            assert asked.wait(10)
        finally:
            answers.set()
            round_.join(60)


def test_a_round_that_is_told_to_stop_finishes_what_it_has_begun() -> None:
    """And begins no other, so that a process that ends leaves no third party's answer unstored."""
    stop, done = threading.Event(), []
    rows = [Due(number, number) for number in range(20)]

    def work(row: Due) -> bool:
        stop.set()
        done.append(row.id)
        return True

    assert Turns(rows, set(), seconds=60, stop=stop.is_set).run(work) == len(done) <= AT_A_TIME  # type: ignore[arg-type]


def test_a96_a_third_party_with_more_due_than_a_round_takes_leaves_room(partner_world: World) -> None:
    """The longest due of each comes before the second of any."""
    service: Embedded = partner_world.partner_service
    table = tables.account_connector
    query = turns.fairly(table, table.c.next_refresh_at < clock.now(), table.c.next_refresh_at, 10_000)
    with service.database.reading() as connection:
        found = [row.connector_id for row in connection.execute(query)]
    firsts = len(set(found))
    assert len(set(found[:firsts])) == firsts


class TestSlowOnes:
    """Who was slow the last time gets a share of the threads, and all have their turn."""

    def test_many_slow_ones_leave_half_of_the_threads(self) -> None:
        """However many of them there are. The first two wait for a third, which never comes."""
        slow, quick = set(range(10)), 10
        rows = [Due(each, each) for each in sorted(slow)] + [Due(100 + each, quick) for each in range(50)]
        begun, together, lock = 0, [], threading.Lock()
        half, more, done = threading.Event(), threading.Event(), threading.Event()
        seen: list[int] = []

        def work(row: Due) -> bool:
            nonlocal begun
            if row.connector_id == quick:
                seen.append(row.id)
                if len(seen) == 50:
                    done.set()
                return True
            with lock:
                begun += 1
                together.append(begun)
                if begun == AT_A_TIME // 2:
                    half.set()
                if begun > AT_A_TIME // 2:
                    more.set()
            assert done.wait(20)
            assert half.wait(20)
            more.wait(0.05)
            with lock:
                begun -= 1
            return True

        assert Turns(rows, slow, seconds=20).run(work) == 60  # type: ignore[arg-type]
        assert max(together) == AT_A_TIME // 2
        assert slow == set()

    def test_who_was_slow_is_known_the_next_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """And forgotten once they are quick again."""
        monkeypatch.setattr(turns, "SLOW_SECONDS", -1.0)
        slow: set[int] = set()
        Turns([Due(1, 7)], slow, seconds=20).run(lambda _: True)  # type: ignore[arg-type]
        assert slow == {7}
        monkeypatch.setattr(turns, "SLOW_SECONDS", 1000.0)
        Turns([Due(1, 7)], slow, seconds=20).run(lambda _: True)  # type: ignore[arg-type]
        assert slow == set()

    def test_nothing_begins_after_the_time(self) -> None:
        """What is left is due at the next round."""
        assert Turns([Due(1, 7)], set(), seconds=0).run(lambda _: True) == 0  # type: ignore[arg-type]

    @pytest.mark.parametrize("most", [AT_A_TIME, 1])
    def test_one_third_party_alone_has_all_threads(self, most: int) -> None:
        """Unless it may have fewer at a time."""
        running, most_seen, lock = 0, 0, threading.Lock()

        def work(_row: Due) -> bool:
            nonlocal running, most_seen
            with lock:
                running += 1
                most_seen = max(most_seen, running)
            wait_for(lambda: most_seen >= most, 10)
            with lock:
                running -= 1
            return True

        rows = [Due(each, 7) for each in range(8)]
        assert Turns(rows, set(), seconds=20, most_of_one=most).run(work) == 8  # type: ignore[arg-type]
        assert most_seen == most
