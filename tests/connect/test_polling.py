"""Watching an attempt: when the partner service is asked, what its answer changes, who is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bff.connect.attempt import Attempt, Hint, Status
from bff.connect.outcome import SIGN_IN_LIFE
from bff.connect.poll_schedule import POLL_LEASE, RECHECK_DELAY, next_recheck, poll_permit
from bff.connect.timeline import POLLED, Step
from tests.support.watched_core import WatchedCore


def launched(core: WatchedCore) -> Attempt:
    """An attempt whose user has been at the partner service for a minute."""
    attempt = core.launched()
    core.clock.tick(60)
    return attempt


def given_up(core: WatchedCore) -> Attempt:
    """An attempt that its user has cancelled, a minute ago."""
    attempt = core.connect.cancel(launched(core))
    core.clock.tick(60)
    core.events.heard.clear()
    return attempt


def test_an_end_is_stored_and_told_once(core: WatchedCore) -> None:
    """Whoever looks next sees the end and asks nothing more."""
    attempt = launched(core)
    core.finish(attempt, "connected")
    ended = core.poller.poll(attempt)
    assert (ended.status, ended.settled_at, ended.external_account) == (
        Status.CONNECTED,
        core.clock(),
        "ada",
    )
    assert core.read(attempt) == ended
    assert core.events.heard == [("settled", ended)]
    asked = len(core.partner.of("get"))
    core.clock.tick(60)
    assert core.poller.poll(ended) == ended
    assert len(core.partner.of("get")) == asked == 1
    assert core.partner.of("get")[0] == [attempt.account, 7]


def test_an_end_has_the_time_at_which_it_is_stored(core: WatchedCore) -> None:
    """Hosts list what has ended since their last list: a slow poll must not date an end before it."""
    attempt, late = launched(core), given_up(core)
    get = core.partner.get_account_connector

    def slow(*asked: Any) -> Any:
        core.clock.tick(12)
        return get(*asked)

    core.partner.get_account_connector = slow  # type: ignore[method-assign]
    core.finish(attempt, "connected")
    assert core.poller.poll(attempt).settled_at == core.clock()
    core.finish(late, "connected")
    assert core.poller.poll(core.read(late), Hint.MESSAGE).late_success_at == core.clock()
    forgotten = core.launched()
    core.clock.now = forgotten.expires_at
    assert core.poller.poll(core.read(forgotten)).settled_at == core.clock()


def test_an_outage_changes_nothing_and_blocks_nobody(core: WatchedCore) -> None:
    """The next look may ask at once when its time has come."""
    attempt = launched(core)
    core.partner.fails.add("get")
    assert core.poller.poll(attempt) == attempt
    core.partner.fails.clear()
    core.finish(attempt, "connected")
    core.clock.tick(5)
    assert core.poller.poll(core.read(attempt)).status is Status.CONNECTED


def test_nobody_asks_before_it_is_time(core: WatchedCore) -> None:
    """A look without a signal, a moment after another one, is answered from what is stored."""
    attempt = launched(core)
    core.poller.poll(attempt)
    core.finish(attempt, "connected")
    core.clock.tick(1)
    assert core.poller.poll(core.read(attempt)).status is Status.LAUNCHED
    assert core.poller.poll(core.read(attempt), Hint.MESSAGE).status is Status.CONNECTED


def poll_and_die(core: WatchedCore, attempt: Attempt) -> None:
    """A worker begins a poll, and is killed before it is answered."""
    assert core.attempts.lease_poll(attempt.id, core.clock(), poll_permit(attempt, None, core.clock()))


@pytest.mark.parametrize(
    ("late", "otherwise"),
    [(False, Status.CANCELLED), (True, Status.EXPIRED)],
    ids=["cancelled", "expired"],
)
@pytest.mark.parametrize("succeeded", [True, False])
def test_an_attempt_is_polled_before_it_ends(
    core: WatchedCore, late: bool, otherwise: Status, succeeded: bool
) -> None:
    """Although another worker is polling it: that one may have died."""
    attempt = launched(core)
    if late:
        core.clock.now = attempt.expires_at
    poll_and_die(core, attempt)
    if succeeded:
        core.finish(attempt, "connected")
    ended = core.poller.poll(core.read(attempt)) if late else core.connect.cancel(core.read(attempt))
    assert ended.status is (Status.CONNECTED if succeeded else otherwise)
    assert len(core.partner.of("get")) == 1


def test_a_repeated_cancel_polls_only_when_a_poll_is_due(core: WatchedCore) -> None:
    """Only the poll that ends an attempt needs no permit."""
    attempt = launched(core)
    poll_and_die(core, attempt)
    ended = core.connect.cancel(core.read(attempt))
    core.clock.tick(POLL_LEASE.total_seconds())
    poll_and_die(core, ended)
    core.connect.cancel(core.read(ended))
    assert len(core.partner.of("get")) == 1


def test_a_last_poll_leaves_another_workers_lease(core: WatchedCore) -> None:
    """That worker still polls: a third one waits for it."""
    attempt = launched(core)
    poll_and_die(core, attempt)
    ended = core.connect.cancel(core.read(attempt))
    core.clock.tick(POLL_LEASE.total_seconds() - 1)
    assert core.poller.poll(core.read(ended), Hint.CANCEL).status is Status.CANCELLED
    assert len(core.partner.of("get")) == 1
    core.clock.tick(1)
    core.poller.poll(core.read(ended), Hint.CANCEL)
    assert len(core.partner.of("get")) == 2


def test_a_lease_that_has_expired_releases_no_later_one(core: WatchedCore) -> None:
    """A worker was answered after its lease had expired, and another worker polls already."""
    attempt, began = launched(core), core.clock()
    poll_and_die(core, attempt)
    core.clock.tick(POLL_LEASE.total_seconds())
    poll_and_die(core, attempt)
    core.attempts.release_lease(attempt.id, began + POLL_LEASE)
    now = core.clock()
    assert not core.attempts.lease_launch(attempt.id, now, now + POLL_LEASE)
    core.attempts.release_lease(attempt.id, now + POLL_LEASE)
    assert core.attempts.lease_launch(attempt.id, now, now + POLL_LEASE)


def test_the_polls_are_one_step_from_the_first_to_the_last(core: WatchedCore) -> None:
    """It stands in the timeline where the first poll was made."""
    attempt, first = launched(core), core.clock()
    for _ in range(3):
        core.poller.poll(core.read(attempt))
        last = core.clock()
        core.clock.tick(5)
    (polls,) = (step for step in core.attempts.steps(attempt.id) if step.name == POLLED)
    assert polls == Step(POLLED, first, last, 3)


def test_a_signal_is_noted_while_the_attempt_is_live(core: WatchedCore) -> None:
    """With its time, which makes the next looks quicker."""
    attempt = launched(core)
    core.poller.poll(attempt)
    assert core.read(attempt).hinted_at is None
    core.poller.poll(attempt, Hint.FOCUS)
    assert core.read(attempt).hinted_at == core.clock()
    assert "focus" in " ".join(step.name for step in core.attempts.steps(attempt.id))


def test_the_browsers_arrival_is_noted(core: WatchedCore) -> None:
    """By the partner service's own time; it decides nothing."""
    attempt = launched(core)
    assert attempt.sign_in_token_sha256 is not None
    core.partner.finish(attempt.sign_in_token_sha256, "started")
    arrived = core.clock()
    core.clock.tick(10)
    assert core.poller.poll(attempt).status is Status.LAUNCHED
    assert arrived in {step.at for step in core.attempts.steps(attempt.id)}


def test_an_attempt_that_was_never_launched_asks_nothing_and_expires(core: WatchedCore) -> None:
    """There is no sign-in to ask about."""
    attempt = replace(core.launched(), account_connector_id=None)
    core.partner.asked.clear()
    core.clock.tick(30)
    assert core.poller.poll(attempt, Hint.CANCEL) == attempt
    core.clock.tick(3600)
    ended = core.poller.poll(attempt)
    assert (ended.status, ended.error_code, ended.settled_at) == (Status.EXPIRED, "expired", core.clock())
    assert core.partner.asked == []


def test_of_two_ends_the_first_stands(core: WatchedCore) -> None:
    """The second is answered with the first, and told to nobody."""
    attempt = launched(core)
    first = core.poller.settle(attempt, {"status": Status.CANCELLED, "error_code": "cancelled"})
    second = core.poller.settle(attempt, {"status": Status.FAILED, "error_code": "failed"})
    assert second == first
    assert first.settled_at == core.clock()
    assert core.events.heard == [("settled", first)]


def test_an_end_of_an_attempt_that_is_gone_is_answered_with_what_was_known(core: WatchedCore) -> None:
    """It was forgotten meanwhile."""
    unknown = replace(launched(core), id="att_gone")
    assert core.poller.settle(unknown, {"status": Status.FAILED}) == unknown


class TestLateSuccess:
    """A sign-in that finished after its attempt was given up is told, and changes no status."""

    def test_it_is_noted_and_told_once(self, core: WatchedCore) -> None:
        """With the account; the final status stays what it was."""
        attempt = given_up(core)
        core.finish(attempt, "connected")
        late = core.poller.poll(attempt)
        assert (late.status, late.late_success_at, late.external_account) == (
            Status.CANCELLED,
            core.clock(),
            "ada",
        )
        assert core.events.heard == [("late success", late)]
        assert core.read(attempt) == late
        asked = core.partner.checks
        core.clock.tick(60)
        assert core.poller.poll(late) == late
        assert core.partner.checks == asked

    def test_a_signal_finds_it_at_once(self, core: WatchedCore) -> None:
        """Also right after somebody else has looked in vain."""
        attempt = given_up(core)
        core.poller.poll(attempt)
        core.finish(attempt, "connected")
        assert core.poller.poll(attempt).late_success_at is None
        assert core.poller.poll(attempt, Hint.MESSAGE).late_success_at == core.clock()

    @pytest.mark.parametrize("tells", [True, False], ids=["embedded", "cyclr"])
    def test_one_look_right_after_another_finds_it(self, core: WatchedCore, tells: bool) -> None:
        """The host's server may look only once: nobody else waits for it any more."""
        core.partner.tells = tells
        attempt = given_up(core)
        assert core.poller.poll(attempt).late_success_at is None
        core.finish(attempt, "connected")
        core.clock.tick(1)
        assert core.poller.poll(core.read(attempt)).late_success_at == core.clock()

    @pytest.mark.parametrize("result", ["declined", "failed", "started"])
    def test_nothing_else_comes_late(self, core: WatchedCore, result: str) -> None:
        """A failure after the user gave up is no news."""
        attempt = given_up(core)
        core.finish(attempt, result)
        assert core.poller.poll(attempt) == attempt
        assert core.events.heard == []

    def test_a_sign_in_that_was_minted_later_is_looked_for_as_long(self, core: WatchedCore) -> None:
        """A form that leads on to it was submitted some time after the launch."""
        attempt = given_up(core)
        assert attempt.launched_at is not None
        minted_at = attempt.launched_at + timedelta(minutes=20)
        core.attempts.transition(attempt.id, {attempt.status}, {"minted_at": minted_at})
        core.finish(attempt, "connected")
        core.clock.now = attempt.launched_at + SIGN_IN_LIFE
        assert next_recheck(core.read(attempt), core.clock(), answered=True) == minted_at + SIGN_IN_LIFE
        assert core.poller.poll(core.read(attempt)).late_success_at == core.clock()

    def test_it_is_looked_for_for_one_hour_after_it_was_minted(self, core: WatchedCore) -> None:
        """At the very hour no longer: no sign-in at the partner service lasts so long."""
        assert timedelta(hours=1) == SIGN_IN_LIFE
        attempt = given_up(core)
        core.finish(attempt, "connected")
        assert attempt.launched_at is not None
        core.clock.now = attempt.launched_at + SIGN_IN_LIFE
        assert core.poller.poll(attempt) == attempt
        core.clock.tick(-1)
        assert core.poller.poll(attempt).late_success_at == core.clock()

    def test_an_expired_attempt_may_succeed_late_too(self, core: WatchedCore) -> None:
        """The user was slow."""
        attempt = launched(core)
        core.clock.tick(1000)
        expired = core.poller.poll(attempt)
        assert expired.status is Status.EXPIRED
        core.finish(attempt, "connected")
        core.clock.tick(5)
        assert core.poller.poll(expired).late_success_at == core.clock()

    @pytest.mark.parametrize("result", ["declined", "failed"])
    def test_an_attempt_that_the_partner_service_ended_stays_ended(
        self, core: WatchedCore, result: str
    ) -> None:
        """Nobody gave it up: nothing is looked for."""
        attempt = launched(core)
        core.finish(attempt, result)
        ended = core.poller.poll(attempt)
        asked = core.partner.checks
        core.clock.tick(60)
        assert core.poller.poll(ended) == ended
        assert core.partner.checks == asked

    def test_one_that_was_launched_while_it_was_cancelled_is_looked_at(self, core: WatchedCore) -> None:
        """The cancel had read it before the launch stored its account connector."""
        attempt = launched(core)
        read_before = replace(attempt, account_connector_id=None, minted_at=None)
        given = core.poller.give_up(read_before, {"status": Status.CANCELLED, "error_code": "cancelled"})
        core.finish(attempt, "connected")
        core.clock.tick(RECHECK_DELAY.total_seconds())
        [due] = core.attempts.due_for_recheck(core.clock(), 10)
        assert (given.status, due.id) == (Status.CANCELLED, attempt.id)
        assert core.poller.recheck(due)
        assert core.read(attempt).late_success_at == core.clock()

    def test_an_unlaunched_attempt_that_was_given_up_has_no_late_success(self, core: WatchedCore) -> None:
        """There was no sign-in."""
        attempt = replace(given_up(core), launched_at=None)
        asked = core.partner.checks
        assert core.poller.poll(attempt) == attempt
        assert core.partner.checks == asked

    def test_the_flag_proves_one_where_nobody_else_signs_in(self, core: WatchedCore) -> None:
        """The user allowed in a window that could not be closed any more."""
        core.partner.tells = False
        attempt = given_up(core)
        core.partner.authenticated = True
        late = core.poller.poll(attempt)
        assert (late.status, late.late_success_at) == (Status.CANCELLED, core.clock())
        assert (late.external_account, late.attributed) == (None, None)

    def test_the_flag_proves_none_after_another_attempt(self, core: WatchedCore) -> None:
        """It may be the work of that one: the user pressed the button again."""
        core.partner.tells = False
        attempt = given_up(core)
        core.launched()
        core.partner.authenticated = True
        assert core.poller.poll(attempt) == attempt
        assert core.events.heard == []

    def test_a_connector_that_is_gone_proves_none(self, core: WatchedCore) -> None:
        """Somebody removed it."""
        attempt = given_up(core)
        core.finish(attempt, "connected")
        core.partner.gone = True
        assert core.poller.poll(attempt) == attempt

    def test_an_attempt_that_changed_meanwhile_is_left_alone(self, core: WatchedCore) -> None:
        """What was looked at is not what is stored."""
        attempt = given_up(core)
        core.finish(attempt, "connected")
        other = replace(attempt, status=Status.EXPIRED)
        assert core.poller.poll(other) == other
        assert core.events.heard == []


def test_a_window_that_seemed_closed_is_remembered(core: WatchedCore) -> None:
    """The look that told of it may come too soon after another one to ask anything."""
    core.partner.tells = False
    attempt, other = core.launched(), core.launched(user="bob")
    core.clock.tick(60)
    core.poller.poll(attempt, Hint.FOCUS)
    core.finish(other, "connected")
    assert core.poller.poll(core.read(attempt), Hint.CLOSED).status is Status.LAUNCHED
    core.clock.tick(5)
    ended = core.poller.poll(core.read(attempt))
    assert (ended.status, ended.attributed) == (Status.CONNECTED, False)
