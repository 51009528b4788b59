"""What has to happen although nobody asks."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from bff.connect import housekeeping
from bff.connect.attempt import GIVEN_UP, LIVE, Attempt, AttemptChanges, Status
from bff.connect.housekeeping import (
    DELETED_AT_ONCE,
    MAX_OVERDUE,
    MAX_RECHECKS,
    MAX_UNANSWERED,
    PAUSE_FACTOR,
    SHORTEST_PAUSE,
    Housekeeping,
)
from bff.connect.outcome import SIGN_IN_LIFE
from bff.connect.poll_schedule import LATEST_RECHECK, RECHECK_DELAY
from tests.support.core import Core, build_core
from tests.support.databases import sqlite_url


@dataclass
class Cellar:
    """Implements ``Purger`` over so many old things of each kind."""

    things: dict[str, int] = field(default_factory=dict)
    rounds: list[tuple[datetime, int, Set[str] | None]] = field(default_factory=list)

    def delete_old(self, now: datetime, limit: int, only: Set[str] | None = None) -> dict[str, int]:
        """Throw away at most ``limit`` of each kind, or of the named ones."""
        self.rounds.append((now, limit, only))
        gone = {
            name: min(count, limit) for name, count in self.things.items() if only is None or name in only
        }
        self.things = {name: count - gone.get(name, 0) for name, count in self.things.items()}
        return gone


@pytest.fixture
def core(tmp_path: Path) -> Core:
    """With a database of its own: housekeeping checks at all attempts that there are."""
    return build_core(sqlite_url(tmp_path, "bff"))


@pytest.fixture
def cellar() -> Cellar:
    """Nothing is old yet."""
    return Cellar()


@pytest.fixture
def keeping(core: Core, cellar: Cellar) -> Housekeeping:
    """Of both."""
    return Housekeeping(core.attempts, core.poller, cellar, core.clock)


def more_like(core: Core, attempt: Attempt, count: int) -> None:
    """So many other attempts in the same state."""
    for number in range(count):
        own = {"id": f"att_{number}", "launch_token_sha256": f"{number:064}"}
        core.attempts.add(replace(attempt, **own))  # type: ignore[arg-type]


class TestEnds:
    """Launched attempts end, though their page has gone."""

    def test_an_attempt_whose_time_is_over_has_expired(self, core: Core, keeping: Housekeeping) -> None:
        """Not before; and it ends once."""
        attempt = core.launched()
        core.clock.tick(900)
        assert keeping.end_overdue() == 0
        core.clock.tick(1)
        assert keeping.end_overdue() == 1
        assert core.read(attempt).status is Status.EXPIRED
        assert keeping.end_overdue() == 0

    def test_the_partner_service_has_the_last_word(self, core: Core, keeping: Housekeeping) -> None:
        """A sign-in that succeeded unseen is told as connected, not as expired."""
        attempt = core.launched()
        core.finish(attempt, "connected")
        core.clock.tick(901)
        assert keeping.end_overdue() == 1
        assert core.read(attempt).status is Status.CONNECTED

    def test_each_is_counted_and_no_more_than_a_rounds_worth_is_polled(
        self, core: Core, keeping: Housekeeping
    ) -> None:
        """Each may be a call to the partner service, which has other things to do; the next round goes on."""
        core.partner.down = True
        more_like(core, core.launched(), MAX_OVERDUE + 1)
        core.clock.tick(901)
        assert keeping.end_overdue() == MAX_OVERDUE
        assert core.partner.checks == MAX_OVERDUE
        assert keeping.end_overdue() == 2


class TestRechecks:
    """A sign-in that succeeds after its attempt was given up is told, though its page has gone."""

    @pytest.mark.parametrize("given_up", ["expired", "cancelled"])
    def test_a_success_that_nobody_could_hear_of_is_told_when_the_partner_service_is_back(
        self, core: Core, keeping: Housekeeping, given_up: str
    ) -> None:
        """The partner service is away as the attempt ends, and for a while; the status stays."""
        attempt = core.launched()
        core.finish(attempt, "connected")
        core.partner.down = True
        if given_up == "expired":
            core.clock.tick(901)
            keeping.end_overdue()
        else:
            core.connect.cancel(attempt)
        for _ in range(3):
            core.clock.tick(RECHECK_DELAY.total_seconds())
            assert keeping.recheck_given_up() == 0
        core.partner.down = False
        core.clock.tick(RECHECK_DELAY.total_seconds())
        assert keeping.recheck_given_up() == 1
        late = core.read(attempt)
        assert (late.status, late.late_success_at) == (given_up, core.clock())
        core.clock.tick(SIGN_IN_LIFE.total_seconds())
        assert keeping.recheck_given_up() == 0

    def test_a_sign_in_that_ends_after_its_attempt_is_told(self, core: Core, keeping: Housekeeping) -> None:
        """Its user went on in an open window: soon after the end, or as late as that can be."""
        soon, late = core.launched(), core.launched(user="grace")
        core.connect.cancel(soon)
        core.connect.cancel(late)
        core.finish(soon, "connected")
        core.clock.tick(RECHECK_DELAY.total_seconds())
        assert keeping.recheck_given_up() == 2
        assert core.read(soon).late_success_at == core.clock()
        core.finish(late, "connected")
        core.clock.tick(SIGN_IN_LIFE.total_seconds())
        assert keeping.recheck_given_up() == 1
        assert core.read(late).late_success_at == core.clock()

    @pytest.mark.parametrize("down", [False, True], ids=["answered", "away"])
    def test_it_ends(self, core: Core, keeping: Housekeeping, down: bool) -> None:
        """With two rechecks where they are answered; without answers, when others could be taken for it."""
        attempt = core.launched()
        core.connect.cancel(attempt)
        core.partner.checks, core.partner.down = 0, down
        for _ in range(5 * 60):
            core.clock.tick(60)
            keeping.recheck_given_up()
            if core.clock() - attempt.created_at == SIGN_IN_LIFE + LATEST_RECHECK:
                checks = core.partner.checks
        assert core.partner.checks == checks
        assert checks <= ((SIGN_IN_LIFE + LATEST_RECHECK) / RECHECK_DELAY if down else 2)

    def test_an_outage_ends_a_round_and_a_round_is_bounded(self, core: Core, keeping: Housekeeping) -> None:
        """The partner service has other things to do; the next round goes on."""
        attempt = core.launched()
        core.connect.cancel(attempt)
        ended: AttemptChanges = {
            "status": Status.EXPIRED,
            "settled_at": core.clock(),
            "recheck_at": core.clock(),
        }
        for number in range(MAX_RECHECKS + MAX_UNANSWERED):
            own = {"id": f"att_{number}", "launch_token_sha256": f"{number:064}"}
            core.attempts.add(replace(attempt, **own))  # type: ignore[arg-type]
            core.attempts.transition(own["id"], LIVE, ended)
        core.partner.checks, core.partner.down = 0, True
        assert (keeping.recheck_given_up(), core.partner.checks) == (0, MAX_UNANSWERED)
        core.partner.checks, core.partner.down = 0, False
        assert (keeping.recheck_given_up(), core.partner.checks) == (MAX_RECHECKS, MAX_RECHECKS)
        assert keeping.recheck_given_up() == 0

    def test_of_two_workers_one_rechecks(self, core: Core) -> None:
        """Both have found it due."""
        attempt = core.launched()
        attempt = core.connect.cancel(attempt)
        core.clock.tick(RECHECK_DELAY.total_seconds())
        core.partner.checks = 0
        assert [core.poller.recheck(attempt) for _ in range(2)] == [True, True]
        assert core.partner.checks == 1

    def test_a_late_success_is_noted_once(self, core: Core) -> None:
        """Its page and a worker may find it at the same moment."""
        attempt = core.launched()
        attempt = core.connect.cancel(attempt)
        noted: AttemptChanges = {"late_success_at": core.clock()}
        found = [core.attempts.transition(attempt.id, GIVEN_UP, noted) for _ in range(2)]
        assert [each is not None for each in found] == [True, False]


class TestForgetting:
    """What is old goes, in batches that no click notices."""

    def test_a52_batches_follow_until_nothing_is_left(
        self, core: Core, keeping: Housekeeping, cellar: Cellar
    ) -> None:
        """Of any kind; the answer is how many of each went in all."""
        old = {"attempts": 2 * DELETED_AT_ONCE + 3, "sessions": 1, "invites": 0}
        cellar.things = dict(old)
        assert keeping.delete_old() == old
        assert cellar.things == dict.fromkeys(old, 0)
        first, *later = cellar.rounds
        assert first == (core.clock(), DELETED_AT_ONCE, None)
        assert later == [(core.clock(), DELETED_AT_ONCE, {"attempts"})] * 2

    def test_a_full_batch_may_not_be_the_last(self, keeping: Housekeeping, cellar: Cellar) -> None:
        """One more look tells."""
        cellar.things = {"attempts": DELETED_AT_ONCE}
        assert keeping.delete_old() == {"attempts": DELETED_AT_ONCE}
        assert len(cellar.rounds) == 2

    def test_with_nothing_to_do_one_look_is_enough(self, keeping: Housekeeping, cellar: Cellar) -> None:
        """Also where there are no kinds at all."""
        assert keeping.delete_old() == {}
        assert len(cellar.rounds) == 1

    def test_it_stops_when_told_to(self, keeping: Housekeeping, cellar: Cellar) -> None:
        """After the batch that is going on: a program that ends does not wait for years of old rows."""
        cellar.things = {"attempts": 5 * DELETED_AT_ONCE}
        answers, rests = iter([False, True]), list[float]()

        def pause(seconds: float) -> bool:
            rests.append(seconds)
            return next(answers)

        assert keeping.delete_old(pause) == {"attempts": 2 * DELETED_AT_ONCE}
        assert cellar.things == {"attempts": 3 * DELETED_AT_ONCE}
        assert len(rests) == 2

    def test_a52_it_rests_longer_than_it_works(
        self, keeping: Housekeeping, cellar: Cellar, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Twice as long as the batch before took: most clicks meet none. And never less than a moment."""
        cellar.things = {"attempts": 3 * DELETED_AT_ONCE}
        moments = iter([10.0, 10.5, 20.0, 20.001, 30.0, 30.1, 40.0, 40.0])
        monkeypatch.setattr(housekeeping, "time", SimpleNamespace(perf_counter=lambda: next(moments)))
        rests = list[float]()

        def pause(seconds: float) -> bool:
            rests.append(seconds)
            return False

        keeping.delete_old(pause)
        assert rests == pytest.approx([PAUSE_FACTOR * 0.5, SHORTEST_PAUSE, PAUSE_FACTOR * 0.1])
