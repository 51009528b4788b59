"""What waiting pages ask, and from when on an answer counts as late."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence

import pytest

from bench.pages import Generator, Plan, Told
from bench.widget import widget_schedule
from tests.support.raw_server import Play, answers, play, send

BODY = b'{"status": "launched"}'


def ask(url: str, dues: Sequence[float], patience: float = 5.0) -> Told:
    """One page asks at these times."""
    host, port = url.removeprefix("http://").split(":")
    plan = Plan(
        host,
        int(port),
        time.time(),
        (0.0, max(dues) + 0.1),
        ["GET /v1/attempts/a HTTP/1.1\r\nHost: a\r\n\r\n"],
        [dues],
        expected='"launched"',
        patience=patience,
    )
    return Generator(plan).run()


def test_a_page_asks_at_the_pace_of_the_widget() -> None:
    """After one second, four, and then every 13: a consent of two minutes costs at most 12 requests."""
    schedule = widget_schedule(120)
    assert schedule[:5] == [1, 5, 18, 31, 44]
    assert len(schedule) <= 12


def test_what_was_due_while_an_answer_was_awaited_counts_from_then() -> None:
    """An answer that comes when three reads were due makes all three late, each by its own time."""
    held = threading.Event()

    def holds_the_first(connection: socket.socket, _request: bytes, _over: threading.Event) -> None:
        if not held.is_set():
            held.wait(1.0)
            held.set()
        send(connection, 200, BODY)

    with play(holds_the_first) as (url, _):
        told = ask(url, [0.0, 0.2, 0.4])
    assert (told.answered, told.unanswered, told.errors) == (3, 0, {})
    assert all(late >= least for late, least in zip(told.latencies_ms, [1000, 800, 600], strict=True))


def test_an_answer_that_never_comes_is_not_left_out() -> None:
    """It counts as having taken until patience ended."""
    with play(lambda _connection, _request, over: over.wait() and None) as (url, _):
        told = ask(url, [0.0], patience=0.3)
    assert (told.answered, told.unanswered) == (0, 1)
    assert told.latencies_ms[0] >= 300


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (answers(503, BODY), "HTTP/1.1 503 X"),
        (answers(200, b'{"status": "expired"}'), "HTTP/1.1 200 X"),
        (lambda connection, _, __: connection.shutdown(socket.SHUT_RDWR), "closed without an answer"),
    ],
    ids=["a status", "a body", "no answer"],
)
def test_any_other_answer_is_an_error(act: Play, error: str) -> None:
    """A status that is not 200, a body that says something else, and a connection that breaks are told."""
    with play(act) as (url, _):
        told = ask(url, [0.0])
    assert [name.startswith(error) for name in told.errors] == [True]
    assert told.answered == 0


def answers_once(connection: socket.socket, seen: dict[socket.socket, int]) -> None:
    """Answer the first request of a connection, and close it on the second."""
    seen[connection] = seen.get(connection, 0) + 1
    if seen[connection] == 1:
        send(connection, 200, BODY)
    else:
        connection.shutdown(socket.SHUT_RDWR)


def answers_and_closes(connection: socket.socket, *headers: str) -> None:
    """Answer, and close."""
    send(connection, 200, BODY, *headers)
    connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("how", ["said", "while idle", "at the next request"])
def test_a_connection_that_the_server_closes_is_opened_anew(how: str) -> None:
    """As a browser does: it is no error."""
    seen: dict[socket.socket, int] = {}

    def act(connection: socket.socket, _request: bytes, _over: threading.Event) -> None:
        if how == "at the next request":
            answers_once(connection, seen)
        else:
            answers_and_closes(connection, *(["Connection: close"] if how == "said" else []))

    with play(act) as (url, _):
        told = ask(url, [0.0, 0.2, 0.4])
    assert (told.answered, told.connects, told.errors) == (3, 3, {})


def test_a_connection_is_kept_alive() -> None:
    """A page has one connection for all its reads."""
    with play(answers(200, BODY)) as (url, _):
        told = ask(url, [0.0, 0.1, 0.2])
    assert (told.answered, told.connects) == (3, 1)
