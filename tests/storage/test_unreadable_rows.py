"""A row that cannot be used holds up no other, whoever wrote it: a newer release, a hand, a broken disk."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bff.connect.attempt import Attempt, Hint, Status
from bff.connect.housekeeping import MAX_OVERDUE, MAX_RECHECKS
from bff.connect.poll_schedule import RECHECK_DELAY
from bff.serving import readable_rows
from bff.storage.tables import attempts
from tests.storage.test_storage import House, house
from tests.support.damage import damage

pytestmark = pytest.mark.one_database

__all__ = ["house"]


def many_like(house: House, attempt: Attempt, count: int) -> None:
    """So many attempts in the same state, each overdue for longer than the one."""
    for number in range(count):
        own = {
            "id": f"att_{number}",
            "launch_token_sha256": f"{number:064}",
            "expires_at": attempt.expires_at - timedelta(seconds=1),
        }
        house.core.attempts.add(replace(attempt, **own))  # type: ignore[arg-type]


def of_a_newer_release(house: House, attempt: Attempt) -> None:
    """Everything but ``attempt`` has a way of delivery that this release does not know."""
    with house.engine.begin() as connection:
        connection.execute(update(attempts).where(attempts.c.id != attempt.id).values(delivery="pigeon"))


def unreadable(house: House, attempt: Attempt) -> None:
    """Everything but ``attempt`` has a time that is none."""
    damage(house.engine, attempts.c.created_at, attempts.c.id != attempt.id)


@pytest.mark.parametrize(
    "break_others", [of_a_newer_release, pytest.param(unreadable, marks=pytest.mark.both_databases)]
)
def test_a95_attempts_that_cannot_be_read_hold_up_no_other(house: House, break_others: object) -> None:
    """More than a round takes lie before the one: it ends in the same round, and again late."""
    attempt = house.core.launched()
    many_like(house, attempt, MAX_OVERDUE + MAX_RECHECKS)
    break_others(house, attempt)  # type: ignore[operator]
    house.core.finish(attempt, "connected")
    house.core.partner.down = True
    house.core.clock.tick(901)
    assert house.keeping.end_overdue() == 1
    assert house.core.read(attempt).status is Status.EXPIRED
    with house.engine.begin() as connection:
        others = attempts.c.id != attempt.id
        connection.execute(update(attempts).where(others).values(recheck_at=house.core.clock()))
    house.core.partner.down = False
    house.core.clock.tick(RECHECK_DELAY.total_seconds())
    assert house.keeping.recheck_given_up() == 1
    assert house.core.read(attempt).late_success_at is not None


def test_a95_an_attempt_that_cannot_be_settled_holds_up_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever asking about it raises; the others are asked about in the same round."""
    attempt, asked = house.core.launched(), house.core.poller.poll
    many_like(house, attempt, MAX_OVERDUE)

    def poll(overdue: Attempt, hint: Hint | None = None) -> Attempt:
        if overdue.id != attempt.id:
            raise RuntimeError("nobody foresaw it")
        return asked(overdue, hint)

    monkeypatch.setattr(house.core.poller, "poll", poll)
    house.core.clock.tick(901)
    assert house.keeping.end_overdue() == 0
    assert house.keeping.end_overdue() == 1


def test_a95_what_was_set_aside_is_tried_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while: an upgrade, or a hand, may have mended it."""
    attempt = house.core.launched()
    other = house.core.launched(user="grace")
    of_a_newer_release(house, attempt)
    house.core.clock.tick(901)
    assert house.keeping.end_overdue() == 1
    with house.engine.begin() as connection:
        connection.execute(update(attempts).values(delivery=attempt.delivery.value))
    monkeypatch.setattr(readable_rows, "SET_ASIDE_SECONDS", 0.0)
    assert house.keeping.end_overdue() == 1
    assert house.core.read(other).status is Status.EXPIRED
