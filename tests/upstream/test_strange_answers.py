"""What the client makes of strange answers: it says little, and gives nothing away."""

from __future__ import annotations

import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from bff.common.errors import PartnerUnavailable
from bff.identity.principal import AccountRef
from bff.outbound.client import USUAL_RETRY_AFTER, HttpClient
from tests.support.raw_server import (
    ACCESS_TOKEN,
    ACCOUNT,
    CLIENT_SECRET,
    QUICK,
    Api,
    answers,
    client_of,
    play,
    send,
)


def test_nobody_listening_is_partner_unavailable() -> None:
    """A refused connection says which host."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(PartnerUnavailable, match=f"127.0.0.1:{port}"):
        HttpClient(f"http://127.0.0.1:{port}", QUICK).send("GET", "/")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 3600),
        ("31536000", 3600),
        ("9" * 400, 3600),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("0", 0),
        ("1.5", 1.5),
        ("2.", 2),
        *((text, USUAL_RETRY_AFTER) for text in ("soon", "-5", ".5", "1e3", "inf", "", "120, 130", "\u0662")),
    ],
)
def test_retry_after_is_passed_on(header: str, seconds: float) -> None:
    """Seconds or a date, never more than an hour; what is neither is as good as none."""
    with (
        play(answers(429, b"{}", f"Retry-After: {header}")) as (url, _),
        pytest.raises(PartnerUnavailable) as raised,
    ):
        HttpClient(url, QUICK).send("GET", "/")
    assert raised.value.retry_after == seconds


@pytest.mark.parametrize("hours", [-2, 0, 2])
def test_a_moment_is_by_the_clock_of_whoever_names_it(hours: int) -> None:
    """Also where ours is hours away: the answer says when it was written."""
    theirs = datetime.now(UTC) + timedelta(hours=hours)
    named = [format_datetime(moment, usegmt=True) for moment in (theirs, theirs + timedelta(seconds=90))]
    with (
        play(answers(503, b"{}", f"Date: {named[0]}", f"Retry-After: {named[1]}")) as (url, _),
        pytest.raises(PartnerUnavailable) as raised,
    ):
        HttpClient(url, QUICK).send("GET", "/")
    assert raised.value.retry_after == 90


def test_a_token_that_is_always_refused_ends() -> None:
    """Still 401 with a new token: unavailable, no loop, and no secret in what is said."""
    api = Api(refuse=10**6)
    with play(api) as (url, _), pytest.raises(PartnerUnavailable) as raised:
        client_of(url).list_account_connectors(ACCOUNT)
    assert api.tokens == 2
    assert ACCESS_TOKEN not in str(raised.value)
    assert CLIENT_SECRET not in str(raised.value)


@pytest.mark.parametrize("expires_in", [0, -1, "soon", True, []])
def test_a_token_without_a_sensible_life_is_none(expires_in: object) -> None:
    """A lifetime that is nonsense is failing, not for ever."""
    with play(Api(expires_in=expires_in)) as (url, _), pytest.raises(PartnerUnavailable):
        client_of(url).list_account_connectors(ACCOUNT)


@pytest.mark.parametrize("expires_in", ["1209599", 1209599.0, 1, None])
def test_a_life_is_a_number_of_seconds_however_it_is_written(expires_in: object) -> None:
    """A token of one second is used, and renewed in time; one of an untold life is used (RFC 6749, 5.1)."""
    with play(Api(expires_in=expires_in)) as (url, _):
        client = client_of(url)
        assert [client.list_account_connectors(ACCOUNT) for _ in range(3)] == [[], [], []]


@pytest.mark.parametrize(
    "document",
    [
        b"null",
        b"{}",
        b'["x"]',
        b'[{"Id": "1"}]',
        b'[{"Id": 1, "Name": "a", "Authenticated": true, "Connector": null}]',
        b"\xff",
        b"<!doctype html><title>Sign in</title>",
        b"[" * 100_000,
    ],
)
def test_an_answer_of_another_shape_is_unavailable(document: bytes) -> None:
    """A page, a proxy's words or half an object is no answer, and never a crash."""

    def act(connection: socket.socket, request: bytes, over: threading.Event) -> None:
        if request.startswith(b"POST /oauth/token"):
            Api()(connection, request, over)
        else:
            send(connection, 200, document)

    with play(act) as (url, _), pytest.raises(PartnerUnavailable):
        client_of(url).list_account_connectors(ACCOUNT)


def test_authenticated_is_true_only_when_it_says_so() -> None:
    """A flag of another type is not taken for true."""
    item = {"Id": 1, "Name": "a", "Authenticated": "false", "Connector": {"Id": 2, "Name": "b"}}

    def act(connection: socket.socket, request: bytes, over: threading.Event) -> None:
        if request.startswith(b"POST /oauth/token"):
            Api()(connection, request, over)
        else:
            send(connection, 200, json.dumps([item]).encode())

    with play(act) as (url, _):
        assert client_of(url).list_account_connectors(ACCOUNT)[0].authenticated is False


def test_calls_are_logged_without_what_is_secret(capfd: pytest.CaptureFixture[str]) -> None:
    """A log line names method, path template, status and time; nobody's account and no token."""
    with play(Api()) as (url, _):
        client_of(url).list_account_connectors(AccountRef("a-private-account", "x"))
    said = "".join(capfd.readouterr())
    assert "/v1.0/account/connectors" in said
    assert ACCESS_TOKEN not in said
    assert CLIENT_SECRET not in said
    assert "a-private-account" not in said
