"""Events reach the product's server: at least once, each with one body, signed, and none invented."""

from __future__ import annotations

import contextlib
import socket
import threading
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import generate_latest
from sqlalchemy import delete, null, select, update
from sqlalchemy.exc import OperationalError
from standardwebhooks.webhooks import WebhookVerificationError

from bff.common.secret import Secret
from bff.connect.store import DatabaseAttempts
from bff.products.webhook_endpoint import WebhookEndpoint
from bff.serving.destinations import Policy
from bff.storage.tables import outbox, webhook_deliveries, webhook_endpoints
from bff.webhooks import run, schedule
from bff.webhooks.fan_out import BATCH, mark_due
from bff.webhooks.sender import Sender
from tests.support.damage import damage
from tests.support.raw_server import FAULTS, answers, play
from tests.support.receiver import Receiver, new_secret, open_receiver
from tests.support.waiting import wait_for
from tests.webhooks.conftest import Hooks

pytestmark = pytest.mark.one_database


def test_an_event_arrives_signed_as_the_specification_says(hooks: Hooks, receiver: Receiver) -> None:
    """The specification's own library takes it; the body has what the contract names."""
    hooks.register(receiver.url)
    hooks.record(external_account="ada@crm.example", name="Zoë 日本")
    hooks.deliver()
    [message] = receiver.got
    event = message.verified(hooks.secret)
    assert list(event) == ["id", "type", "created_at", "product", "data"]
    assert event["id"] == message.headers["webhook-id"]
    assert (event["type"], event["product"]) == ("connection.connected", hooks.product)
    assert event["data"] == {"id": "7", "external_account": "ada@crm.example", "name": "Zoë 日本"}
    assert datetime.fromisoformat(event["created_at"]).tzinfo is not None
    assert [row.status for row in hooks.rows()] == ["delivered"]


@pytest.mark.both_databases
def test_operators_see_what_is_whose(hooks: Hooks, receiver: Receiver) -> None:
    """The endpoints of all products, and the product of a delivery."""
    [endpoint] = hooks.register(receiver.url)
    assert (hooks.product, endpoint) in [(each.product, each.id) for each in hooks.endpoints.all()]
    hooks.record()
    hooks.deliver()
    [delivery] = hooks.rows()
    assert hooks.log.product_of(delivery.id) == hooks.product
    assert hooks.log.product_of("whd_none") is None


@pytest.mark.both_databases
def test_whoever_queues_an_event_holds_its_endpoint(hooks: Hooks) -> None:
    """Also one that is due already: a worker that has just found nothing waits, and then sees the event."""
    if hooks.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    [endpoint] = hooks.register("https://app.example/hooks")
    its, now = webhook_endpoints.c.id == endpoint, hooks.clock()
    with hooks.engine.begin() as earlier:
        earlier.execute(update(webhook_endpoints).where(its).values(due_at=now - timedelta(minutes=1)))
    locked = select(webhook_endpoints.c.id).where(its).with_for_update(nowait=True)
    with hooks.engine.begin() as queueing, hooks.engine.connect() as other:
        mark_due(queueing, [endpoint], now)
        with pytest.raises(OperationalError, match="could not obtain lock"):
            other.execute(locked)


def test_a91_a_forged_or_changed_event_is_refused(hooks: Hooks, receiver: Receiver) -> None:
    """Another secret, another byte, another id, another time: none goes through."""
    hooks.register(receiver.url)
    hooks.record()
    hooks.deliver()
    [message] = receiver.got
    with pytest.raises(WebhookVerificationError):
        message.verified(new_secret())
    message.body += b" "
    with pytest.raises(WebhookVerificationError):
        message.verified(hooks.secret)


def test_a91_every_secret_signs_while_it_is_rotated(hooks: Hooks, receiver: Receiver) -> None:
    """A receiver that knows the old one, and one that knows the new one, take the same delivery."""
    new = new_secret()
    both = (Secret(new), Secret(hooks.secret))
    hooks.endpoints.replace(hooks.product, [WebhookEndpoint(hooks.product, receiver.url, ("*",), both)])
    hooks.record()
    hooks.deliver()
    [message] = receiver.got
    assert message.verified(new) == message.verified(hooks.secret)


def test_each_endpoint_gets_what_it_asks_for(hooks: Hooks) -> None:
    """One event, two endpoints, one body and id; an event that nobody asks for leaves nothing behind."""
    with open_receiver() as first, open_receiver() as second:
        secrets = (Secret(hooks.secret),)
        wanted = (
            WebhookEndpoint(hooks.product, first.url, ("connection.*",), secrets),
            WebhookEndpoint(hooks.product, second.url, ("connection.connected",), secrets),
        )
        hooks.endpoints.replace(hooks.product, wanted)
        for kind in ("connection.connected", "connection.disconnected", "attempt.settled"):
            hooks.record(kind)
        hooks.deliver()
        assert sorted(event["type"] for event in first.events()) == [
            "connection.connected",
            "connection.disconnected",
        ]
        [message] = second.got
        assert message.body in [each.body for each in first.got]
    ours = select(outbox.c.type).where(outbox.c.product == hooks.product)
    with hooks.engine.connect() as connection:
        assert "attempt.settled" not in connection.execute(ours).scalars().all()


def test_a_retry_has_the_same_id_and_body(hooks: Hooks, receiver: Receiver) -> None:
    """What failed comes again by the schedule: after 5 seconds, 5 minutes and so on, until it is taken."""
    hooks.register(receiver.url)
    hooks.record()
    receiver.says = 500
    hooks.deliver()
    assert [(row.status, row.attempts, row.answer_status) for row in hooks.rows()] == [("pending", 1, 500)]
    hooks.clock.tick(seconds=3)
    hooks.deliver()
    assert len(receiver.got) == 1
    hooks.clock.tick(seconds=4)
    hooks.deliver()
    assert len(receiver.got) == 2
    receiver.says = 200
    hooks.clock.tick(minutes=6)
    hooks.deliver()
    assert len({(each.body, each.headers["webhook-id"]) for each in receiver.got}) == 1
    assert [(row.status, row.attempts) for row in hooks.rows()] == [("delivered", 3)]
    times = {each.headers["webhook-timestamp"] for each in receiver.got}
    assert len(times) == 3, "each try is signed with its own time"


def test_it_is_given_up_after_three_days(hooks: Hooks, receiver: Receiver) -> None:
    """Ten tries, by the schedule that the specification recommends."""
    hooks.register(receiver.url)
    hooks.record()
    receiver.says = 503
    began = hooks.clock()
    for _ in range(12):
        hooks.deliver()
        hooks.clock.tick(hours=27)
    assert [(row.status, row.attempts) for row in hooks.rows()] == [("failed", 4)]
    assert hooks.clock() - began > schedule.GIVEN_UP_AFTER


def test_the_schedule_is_ten_tries_in_three_days() -> None:
    """As recommended; the waits are a little longer by chance, never shorter; a Retry-After is kept."""
    at = datetime(2030, 1, 1, tzinfo=UTC)
    first = at
    for number in range(1, 10):
        following = schedule.next_try(number, at, 0.0, None)
        assert following is not None
        at = following
    assert timedelta(days=3) < at - first < timedelta(days=3.5)
    assert schedule.next_try(10, at, 0.0, None) is None
    assert schedule.next_try(1, at, 1.0, None) == at + timedelta(seconds=5.5)
    assert schedule.next_try(1, at, 0.0, 120.0) == at + timedelta(minutes=2)
    assert schedule.next_try(1, at, 0.0, 1e9) == at + timedelta(hours=1)


@pytest.mark.parametrize(
    ("status", "named", "seconds"),
    [
        (503, "120", 120.0),
        (429, "Tue, 01 Jan 2030 00:02:00 GMT", 120.0),
        (503, "in a while", None),
        (500, "120", None),
    ],
)
def test_a_busy_receiver_names_a_time(status: int, named: str, seconds: float | None) -> None:
    """In seconds or as a date, which is of the receiver's own clock; other refusals name none."""
    headers = f"Retry-After: {named}", "Date: Tue, 01 Jan 2030 00:00:00 GMT"
    with play(answers(status, b"", *headers)) as (url, _):
        assert Sender(Policy(loopback=True)).send(url, "{}", {}).retry_after == seconds


@pytest.mark.both_databases
def test_an_endpoint_that_is_gone_is_switched_off(
    hooks: Hooks, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    """410 ends it: nothing more is sent, what waits is told as failed, the operator is told how to go on."""
    [endpoint] = hooks.register(receiver.url)
    hooks.record(count=3)
    receiver.says = 410
    hooks.deliver()
    hooks.record()
    hooks.deliver()
    hooks.deliver()
    assert len(receiver.got) == 1
    assert {(row.status, row.error) for row in hooks.rows()} == {
        ("failed", "gone"),
        ("failed", "endpoint_off"),
    }
    assert hooks.endpoints.require(hooks.product, endpoint).state == "off"
    assert hooks.queue.switched_off() >= 1
    assert f"hitchpost webhooks on {endpoint}" in capsys.readouterr().out
    hooks.register(receiver.url)
    assert hooks.endpoints.require(hooks.product, endpoint).state == "off", "the file says the same as before"
    receiver.says = 200
    hooks.service.switch_on(hooks.product, endpoint)
    assert hooks.service.send_failed_again(hooks.product, endpoint, datetime(2020, 1, 1, tzinfo=UTC)) == 3
    hooks.deliver()
    assert {row.status for row in hooks.rows()} == {"delivered"}


def test_a90_a_redirect_is_a_failure_and_is_not_followed(hooks: Hooks, receiver: Receiver) -> None:
    """Wherever it leads, nobody goes there."""
    with open_receiver() as elsewhere:
        receiver.says, receiver.headers = 307, {"Location": elsewhere.url}
        hooks.register(receiver.url)
        hooks.record()
        hooks.deliver()
        assert elsewhere.got == []
    assert [(row.status, row.error, row.answer_status) for row in hooks.rows()] == [
        ("pending", "redirected", 307)
    ]


def test_an_endpoint_that_is_taken_out_of_the_file_gets_nothing_more(
    hooks: Hooks, receiver: Receiver
) -> None:
    """What waits for it is told as failed; named again it is told what happens from then on."""
    hooks.register(receiver.url)
    hooks.record()
    hooks.fan_out.once()
    hooks.register()
    hooks.record()
    hooks.deliver()
    assert receiver.got == []
    assert [row.error for row in hooks.rows()] == ["endpoint_removed"]
    hooks.register(receiver.url)
    hooks.record()
    hooks.deliver()
    assert len(receiver.got) == 1


def test_a_refused_event_does_not_hold_up_the_others(hooks: Hooks, receiver: Receiver) -> None:
    """400 for one body is that body's matter: the next ones go at once."""
    hooks.register(receiver.url)
    receiver.answer = lambda message: 400 if message.event["data"].get("bad") else 200
    hooks.record(bad=True)
    hooks.record(count=5)
    hooks.deliver()
    assert sorted(row.status for row in hooks.rows()) == ["delivered"] * 5 + ["pending"]


def test_a_receiver_in_trouble_is_asked_once_not_for_each_event(hooks: Hooks, receiver: Receiver) -> None:
    """Its queue waits; when it is back, all of it goes at once."""
    hooks.register(receiver.url)
    hooks.record(count=40)
    receiver.says = 503
    hooks.deliver()
    assert len(receiver.got) == 1
    hooks.deliver()
    assert len(receiver.got) == 1, "it is left alone for a moment"
    receiver.says = 200
    hooks.clock.tick(seconds=10)
    hooks.deliver()
    assert {row.status for row in hooks.rows()} == {"delivered"}
    assert len({each.headers["webhook-id"] for each in receiver.got}) == 40


def test_what_waited_for_a_dead_receiver_for_three_days_is_given_up_untried(hooks: Hooks) -> None:
    """The queue of a receiver that is gone for good does not grow for ever."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    hooks.register(f"http://127.0.0.1:{port}/")
    hooks.record(count=3)
    hooks.fan_out.once()
    hooks.clock.tick(days=4)
    hooks.deliver()
    assert {row.status for row in hooks.rows()} == {"failed"}
    assert {row.error for row in hooks.rows()} == {"unreachable", "too_old"}


@pytest.mark.parametrize("fault", ["drips headers", "hangs"])
def test_slowness_and_silence_are_failures(impatient_hooks: Hooks, fault: str) -> None:
    """They are told in the log and tried again."""
    with play(FAULTS[fault]) as (url, requests):
        impatient_hooks.register(url)
        impatient_hooks.record()
        impatient_hooks.deliver()
        assert len(requests) == 1
    assert [(row.error, row.status) for row in impatient_hooks.rows()] == [("timed_out", "pending")]


def test_garbage_is_a_failure(hooks: Hooks) -> None:
    """It is no answer: it is told in the log, and the event sent again."""

    def garbage(connection: socket.socket, _request: bytes, _over: threading.Event) -> None:
        connection.sendall(b"\x00\xff nothing of HTTP\r\n\r\n")
        connection.close()

    def many_headers(connection: socket.socket, _request: bytes, _over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 10_000 + b"\r\n")
        connection.close()

    for act in (garbage, many_headers):
        with play(act) as (url, requests):
            hooks.register(url)
            hooks.record()
            hooks.deliver()
            assert len(requests) == 1
        assert hooks.rows()[-1].error in {"broken_off", "bad_answer"}, act.__name__
        assert hooks.rows()[-1].status == "pending"


def test_a90_an_endless_answer_is_not_read_to_its_end(hooks: Hooks) -> None:
    """2xx is taken at its word; what follows costs nobody memory or time."""

    def pour(connection: socket.socket, _request: bytes, over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while not over.is_set():
            connection.sendall(b"x" * 65536)

    with play(pour) as (url, _):
        hooks.register(url)
        hooks.record()
        hooks.deliver()
    assert [row.status for row in hooks.rows()] == ["delivered"]


@pytest.mark.both_databases
def test_a_worker_that_dies_holds_an_endpoint_up_for_a_lease(hooks: Hooks, receiver: Receiver) -> None:
    """Its lease ends; whoever looks then delivers."""
    hooks.register(receiver.url)
    hooks.record()
    hooks.fan_out.once()
    assert [leased.url for leased in hooks.queue.lease(0, 100)] == [receiver.url]
    hooks.deliver()
    assert receiver.got == []
    hooks.clock.tick(seconds=31)
    hooks.deliver()
    assert len(receiver.got) == 1


@pytest.mark.both_databases
def test_several_workers_deliver_each_event_once(hooks: Hooks, receiver: Receiver) -> None:
    """No two of them queue the same event, or are at one endpoint at the same time."""
    hooks.register(receiver.url)
    hooks.record(count=60)
    workers = [threading.Thread(target=hooks.deliver) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    hooks.deliver()
    assert len(receiver.got) == len({each.headers["webhook-id"] for each in receiver.got}) == 60


@pytest.mark.both_databases
def test_an_event_that_is_queued_while_a_worker_ends_is_not_forgotten(
    hooks: Hooks, receiver: Receiver
) -> None:
    """The worker looked for the last time, then the event came, then the lease ended: it is due at once."""
    hooks.register(receiver.url)
    hooks.record()
    hooks.fan_out.once()
    [leased] = hooks.queue.lease(0, 100)
    hooks.runner.deliver(leased, hooks.queue.due(leased.id, 10))
    hooks.record()
    hooks.fan_out.once()
    hooks.queue.release(leased.id, failures=0, lane=0, rest=timedelta())
    hooks.deliver()
    assert len(receiver.got) == 2


@pytest.mark.both_databases
def test_the_thread_of_a_worker_delivers_at_once(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this process records wakes it; it looks by the clock only for what others recorded (60 s here)."""
    monkeypatch.setattr(schedule, "WAITS", (timedelta(seconds=0.3), *schedule.WAITS))
    monkeypatch.setattr(schedule, "LONGEST_REST", timedelta(seconds=0.1))
    hooks.register(receiver.url)
    courier = hooks.courier()
    courier.start()
    try:
        hooks.record(count=3)
        wait_for(lambda: len(receiver.got) == 3, 10)
        wait_for(lambda: {row.status for row in hooks.rows()} == {"delivered"}, 10)
        receiver.says = 500
        hooks.record()
        wait_for(lambda: len(receiver.got) == 4, 10)
        receiver.says = 200
        wait_for(lambda: len(receiver.got) == 5, 20)
    finally:
        courier.stop()
        courier.join(10)
    assert not courier.is_alive()


def test_one_slow_receiver_delays_nobody_else(sqlite_hooks: Hooks, receiver: Receiver) -> None:
    """While one holds its answers back, another gets everything."""
    with open_receiver() as slow:
        slow.held.clear()
        sqlite_hooks.register(slow.url, receiver.url)
        courier = sqlite_hooks.courier()
        courier.start()
        try:
            sqlite_hooks.record(count=30)
            wait_for(lambda: len(receiver.got) == 30, 10)
            assert len(slow.got) <= 2, "the slow one is asked for one thing at a time"
        finally:
            courier.stop()
            courier.join(10)


def test_a91_a_secret_is_sealed_at_rest(hooks: Hooks, receiver: Receiver) -> None:
    """In no column of the endpoint can it be read; sealed for another endpoint it does not open."""
    [endpoint] = hooks.register(receiver.url)
    ours = select(webhook_endpoints).where(webhook_endpoints.c.id == endpoint)
    with hooks.engine.connect() as connection:
        row = connection.execute(ours).one()
    assert hooks.secret.removeprefix("whsec_")[:12] not in str(tuple(row))
    [other, _] = hooks.register(receiver.url + "/other", receiver.url)
    with hooks.engine.begin() as connection:
        moved = update(webhook_endpoints).where(webhook_endpoints.c.id == other)
        connection.execute(moved.values(sealed=row.sealed))
    hooks.record()
    hooks.deliver()
    assert [each.path for each in receiver.got] == ["/hooks"]
    unreadable = select(webhook_deliveries.c.error).where(webhook_deliveries.c.endpoint_id == other)
    with hooks.engine.connect() as connection:
        assert connection.execute(unreadable).scalars().all() == ["secret_unreadable"]


def test_an_endpoint_with_a_long_queue_gives_others_their_turn(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some batches it goes to the end of the line, however long its own events have waited."""
    monkeypatch.setattr(run, "MOST_BATCHES", 1)
    secrets = (Secret(hooks.secret),)
    long = WebhookEndpoint(hooks.product, receiver.url + "/long", ("connection.connected",), secrets)
    short = WebhookEndpoint(hooks.product, receiver.url + "/short", ("connection.disconnected",), secrets)
    hooks.endpoints.replace(hooks.product, [long, short])
    hooks.record("connection.connected", count=5)
    hooks.fan_out.once()
    hooks.record("connection.disconnected")
    hooks.fan_out.once()
    served = []
    for _ in range(3):
        [leased] = hooks.queue.lease(0, 1)
        served.append(leased.id)
        hooks.runner.run(leased)
    assert served == [long.id, short.id, long.id]


def test_receivers_in_trouble_have_half_of_a_workers_room(sqlite_hooks: Hooks) -> None:
    """However many there are of them, one that is well finds room at once."""
    with open_receiver() as well, contextlib.ExitStack() as stack:
        slow = [stack.enter_context(open_receiver()) for _ in range(20)]
        for each in slow:
            each.held.clear()
        sqlite_hooks.register(well.url, *(each.url for each in slow))
        with sqlite_hooks.engine.begin() as connection:
            troubled = webhook_endpoints.c.url != well.url
            connection.execute(update(webhook_endpoints).where(troubled).values(lane=1, failures=3))
        courier = sqlite_hooks.courier()
        courier.start()
        try:
            sqlite_hooks.record()
            wait_for(lambda: well.got, 10)
            sqlite_hooks.record()
            wait_for(lambda: len(well.got) == 2, 10)
            assert sum(len(each.got) for each in slow) <= courier._slots // 2
        finally:
            for each in slow:
                each.held.set()
            courier.stop()
            courier.join(10)


def test_the_backlog_is_a_number_for_operators(sqlite_hooks: Hooks, receiver: Receiver) -> None:
    """How much waits, for how long, how many endpoints are off, and what became of deliveries."""
    sqlite_hooks.register(receiver.url)
    receiver.says = 500
    sqlite_hooks.record(count=3)
    sqlite_hooks.clock.tick(minutes=-5)
    sqlite_hooks.deliver()
    sqlite_hooks.clock.tick(minutes=10)

    def is_measured() -> bool:
        sqlite_hooks.courier()._measure_backlog()
        numbers = generate_latest().decode()
        told = dict(line.split(" ") for line in numbers.splitlines() if line.startswith("hitchpost_webhook"))
        return (
            float(told["hitchpost_webhook_backlog"]) == 3
            and 250 < float(told["hitchpost_webhook_backlog_seconds"]) < 700
            and float(told["hitchpost_webhook_endpoints_off"]) == 0
            and float(told['hitchpost_webhook_deliveries_total{result="failed"}']) >= 1
        )

    # Programs of other tests in this process write the same gauges.
    wait_for(is_measured, 10)


def test_a_delivery_whose_event_is_gone_keeps_nobody_busy(hooks: Hooks, receiver: Receiver) -> None:
    """It can never be sent: its endpoint is not due for its sake."""
    [endpoint] = hooks.register(receiver.url)
    hooks.record()
    hooks.fan_out.once()
    with hooks.engine.begin() as connection:
        connection.execute(delete(outbox).where(outbox.c.product == hooks.product))
    hooks.deliver()
    ours = select(webhook_endpoints.c.due_at).where(webhook_endpoints.c.id == endpoint)
    with hooks.engine.connect() as connection:
        assert connection.execute(ours).scalar_one() is None
    hooks.record()
    hooks.deliver()
    assert len(receiver.got) == 1


@pytest.mark.both_databases
def test_a95_an_event_that_cannot_be_read_holds_up_no_other(hooks: Hooks, receiver: Receiver) -> None:
    """More of them than a batch has lie before the one."""
    hooks.register(receiver.url)
    hooks.record(count=BATCH + 1)
    damage(hooks.engine, outbox.c.at, outbox.c.product == hooks.product)
    hooks.record(mine=True)
    hooks.deliver()
    assert [message.verified(hooks.secret)["data"]["mine"] for message in receiver.got] == [True]


def test_a95_an_event_without_a_body_holds_up_no_other(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its attempt cannot be read; the event after it is delivered."""
    hooks.register(receiver.url)
    hooks.record("attempt.settled")
    with hooks.engine.begin() as connection:
        ours = outbox.c.product == hooks.product
        connection.execute(update(outbox).where(ours).values(data=null()))

    def get(_self: object, attempt_id: str) -> None:
        raise ValueError(f"{attempt_id} is of a newer release")

    monkeypatch.setattr(DatabaseAttempts, "get", get)
    hooks.record()
    hooks.deliver()
    assert [message.verified(hooks.secret)["type"] for message in receiver.got] == ["connection.connected"]


@pytest.mark.both_databases
def test_a95_an_endpoint_that_cannot_be_read_holds_up_no_other(hooks: Hooks, receiver: Receiver) -> None:
    """Neither when events are queued nor when they are sent."""
    broken, _ = hooks.register(receiver.url + "/broken", receiver.url)
    hooks.record()
    while hooks.fan_out.once():
        pass
    damage(hooks.engine, webhook_endpoints.c.created_at, webhook_endpoints.c.id == broken)
    hooks.record()
    hooks.deliver()
    hooks.deliver()
    assert [message.path for message in receiver.got] == ["/hooks", "/hooks"]
    made_good = update(webhook_endpoints).where(webhook_endpoints.c.id == broken)
    with hooks.engine.begin() as connection:
        connection.execute(made_good.values(created_at=hooks.clock()))


@pytest.mark.both_databases
def test_a95_a_delivery_that_cannot_be_read_holds_up_no_other(hooks: Hooks, receiver: Receiver) -> None:
    """Of the same endpoint."""
    hooks.register(receiver.url)
    hooks.record(mine=False)
    while hooks.fan_out.once():
        pass
    damage(hooks.engine, webhook_deliveries.c.queued_at, webhook_deliveries.c.product == hooks.product)
    hooks.record(mine=True)
    hooks.deliver()
    assert [message.verified(hooks.secret)["data"]["mine"] for message in receiver.got] == [True]
