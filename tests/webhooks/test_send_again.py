"""What failed is sent again when somebody asks for it: each delivery once, whatever becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import func, select

from bff.purge import DatabasePurger
from bff.storage.tables import outbox
from bff.webhooks import service
from tests.support.receiver import Receiver
from tests.webhooks.conftest import Hooks

pytestmark = pytest.mark.one_database

EVER = datetime(2020, 1, 1, tzinfo=UTC)
WEBHOOKS: Final = {"webhook deliveries", "webhook events"}


def events_of(hooks: Hooks) -> int:
    """How many events of the product are kept."""
    kept = select(func.count()).where(outbox.c.product == hooks.product)
    with hooks.engine.connect() as connection:
        return int(connection.execute(kept).scalar_one())


@pytest.mark.both_databases
def test_what_fails_again_meanwhile_is_not_queued_a_second_time(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the command would go on for as long as the receiver refuses: old events are tried once."""
    monkeypatch.setattr(service, "RESENDS_PER_TRANSACTION", 2)
    [endpoint] = hooks.register(receiver.url)
    receiver.says = 400
    hooks.record(count=5)
    hooks.fan_out.once()
    hooks.clock.tick(days=4)
    hooks.deliver()
    assert [row.status for row in hooks.rows()] == ["failed"] * 5
    queue_some, tried = hooks.log.queue_failed_again, len(receiver.got)

    def queue_some_and_deliver(*arguments: Any) -> Any:
        assert len(receiver.got) < tried + 10, "it goes on and on"
        queued = queue_some(*arguments)
        hooks.clock.tick(days=4)
        hooks.deliver()
        return queued

    monkeypatch.setattr(hooks.log, "queue_failed_again", queue_some_and_deliver)
    assert hooks.service.send_failed_again(hooks.product, endpoint, EVER) == 5
    assert len(receiver.got) == tried + 5


def given_up(hooks: Hooks, receiver: Receiver) -> tuple[str, str]:
    """An event of four days ago that its receiver never took; its endpoint and its delivery."""
    [endpoint] = hooks.register(receiver.url)
    receiver.says = 503
    hooks.record()
    hooks.deliver()
    hooks.clock.tick(days=4)
    hooks.deliver()
    [row] = hooks.rows()
    assert row.status == "failed"
    return endpoint, row.id


@pytest.mark.parametrize("says", [400, 503])
@pytest.mark.parametrize("how", ["by its id", "all that failed"])
def test_an_old_event_that_is_sent_again_is_retried_for_three_days(
    hooks: Hooks, receiver: Receiver, how: str, says: int
) -> None:
    """A resend is a new delivery: its schedule begins with it, however old the event is."""
    endpoint, delivery = given_up(hooks, receiver)
    receiver.says = says
    if how == "by its id":
        hooks.service.send_again(hooks.product, delivery)
    else:
        assert hooks.service.send_failed_again(hooks.product, endpoint, EVER) == 1
        hooks.deliver()
    [row] = hooks.rows()
    assert (row.status, row.attempts) == ("pending", 1)
    hooks.clock.tick(hours=2)
    hooks.deliver()
    assert [(row.status, row.attempts) for row in hooks.rows()] == [("pending", 2)]
    receiver.says = 200
    hooks.clock.tick(hours=2)
    hooks.deliver()
    assert [row.status for row in hooks.rows()] == ["delivered"]


def test_a_resend_is_given_up_after_three_days_of_its_own(hooks: Hooks, receiver: Receiver) -> None:
    """It ends as any other does."""
    _, delivery = given_up(hooks, receiver)
    hooks.service.send_again(hooks.product, delivery)
    hooks.clock.tick(days=4)
    hooks.deliver()
    assert [row.status for row in hooks.rows()] == ["failed"]


def test_what_could_not_be_queued_for_days_is_retried_all_the_same(hooks: Hooks, receiver: Receiver) -> None:
    """No worker ran: the schedule begins with the first try, not with the event."""
    hooks.register(receiver.url)
    hooks.record()
    hooks.clock.tick(days=4)
    receiver.says = 503
    hooks.deliver()
    assert [(row.status, row.attempts) for row in hooks.rows()] == [("pending", 1)]


def test_what_is_sent_again_before_it_is_forgotten_is_kept_with_its_event(
    hooks: Hooks, receiver: Receiver
) -> None:
    """Else the purge would take from under it what it is about to send."""
    _, delivery = given_up(hooks, receiver)
    hooks.clock.tick(days=27)
    hooks.service.send_again(hooks.product, delivery)
    purge = DatabasePurger(hooks.engine, timedelta(days=30), webhook_retention=timedelta(days=30))
    hooks.clock.tick(hours=2)
    purge.delete_old(hooks.clock() + timedelta(days=2), 1000, WEBHOOKS)
    receiver.says = 200
    hooks.deliver()
    assert [row.status for row in hooks.rows()] == ["delivered"]
    purge.delete_old(hooks.clock() + timedelta(days=32), 1000, WEBHOOKS)
    assert (hooks.rows(), events_of(hooks)) == ([], 0)


@pytest.mark.both_databases
def test_an_event_that_nobody_wants_to_hear_is_not_written(hooks: Hooks, receiver: Receiver) -> None:
    """A product without an endpoint that is on costs no row; an endpoint is told what happens after it."""
    hooks.record()
    assert events_of(hooks) == 0
    [endpoint] = hooks.register(receiver.url)
    hooks.endpoints.switch_off(endpoint, "gone")
    hooks.record()
    assert events_of(hooks) == 0
    hooks.endpoints.switch_on(hooks.product, endpoint)
    hooks.record()
    hooks.deliver()
    assert (events_of(hooks), len(receiver.got)) == (1, 1)
