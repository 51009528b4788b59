"""Calls to the partner service: they end in time, are repeated where that is safe, and go nowhere else."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bff.common.errors import PartnerUnavailable
from bff.outbound.breaker import Breaker, Rules
from bff.outbound.client import HttpClient
from bff.outbound.retry import FLOOR, LONGEST_WAIT, Budget, Failure, Try, wait_before_retry
from tests.support.fault_proxy import Fault, fault_proxy
from tests.support.raw_server import CLIENT_SECRET, FAULTS, HURRIED, QUICK, Play, answers, play
from tests.support.tls import Front, TlsFault, serve_tls, trust

TRIES = st.builds(
    Try,
    method=st.sampled_from(["GET", "POST"]),
    harmless=st.booleans(),
    failure=st.sampled_from(Failure),
    retry_after=st.none() | st.floats(0, 10),
    remaining=st.floats(0, 20),
)
CHANCES = st.floats(0, 1, exclude_max=True)


class Pauses:
    """Waits for nothing, and writes down how long it would have waited."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        """One pause."""
        self.seconds.append(seconds)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a53_a_call_ends_whatever_the_other_side_does(fault: Play) -> None:
    """Silence, a byte at a time, too much, a bomb: unavailable, within the deadline, and nothing given away.

    A call that is not cut would last until the test's own time-out.
    """
    with play(fault) as (url, _), pytest.raises(PartnerUnavailable) as raised:
        HttpClient(url, HURRIED).send("POST", "/oauth/token", form={"client_secret": CLIENT_SECRET})
    assert CLIENT_SECRET not in str(raised.value)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("fault", [fault for fault in Fault if fault not in {Fault.NONE, Fault.LATENCY}])
def test_a53_a_call_ends_whatever_happens_on_the_way(fault: Fault) -> None:
    """A reset, half an answer, a black hole: unavailable; and once it is over, calls go through again."""
    with play(answers(200, b'{"so": "it is"}')) as (url, _), fault_proxy(url) as proxy:
        client = HttpClient(proxy.url, QUICK)
        assert client.send("GET", "/").document() == {"so": "it is"}
        proxy.switch(fault)
        client._limits = HURRIED
        with pytest.raises(PartnerUnavailable):
            client.send("POST", "/")
        client._limits = QUICK
        proxy.switch(Fault.NONE)
        assert client.send("GET", "/").document() == {"so": "it is"}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("fault", [Fault.GARBAGE, Fault.BLACK_HOLE, Fault.RESET])
def test_a53_a_handshake_ends_too(fault: Fault) -> None:
    """Whoever answers a TLS client with something else, or not at all, holds no thread either."""
    with play(answers(200, b"{}")) as (url, _), fault_proxy(url) as proxy:
        proxy.switch(fault)
        with pytest.raises(PartnerUnavailable):
            HttpClient(f"https://{proxy.address}", HURRIED).send("GET", "/")


@settings(max_examples=300)
@given(TRIES, CHANCES)
def test_a54_the_table_of_retries(tried: Try, chance: float) -> None:
    """What may have been done is not done again unless that is harmless; no wait is long."""
    wait = wait_before_retry(tried, chance)
    harmless = tried.harmless or tried.method == "GET"
    allowed = {
        Failure.UNSENT: True,
        Failure.DROPPED: harmless,
        Failure.BROKEN: tried.method == "GET",
        Failure.BUSY: harmless and tried.retry_after is not None,
        Failure.SLOW: False,
        Failure.FAILED: False,
    }[tried.failure]
    if wait is None:
        asked = tried.retry_after if tried.failure is Failure.BUSY and tried.retry_after is not None else 0
        too_long = asked + FLOOR * 4 > min(LONGEST_WAIT, tried.remaining)
        assert not allowed or too_long
        return
    assert allowed
    assert 0 <= wait <= LONGEST_WAIT
    assert wait < tried.remaining
    if tried.failure not in {Failure.DROPPED, Failure.BROKEN}:
        assert wait >= FLOOR
    if tried.failure is Failure.BUSY:
        assert tried.retry_after is not None
        assert wait >= tried.retry_after


@given(CHANCES, CHANCES)
def test_a54_callers_do_not_come_back_together(one: float, other: float) -> None:
    """Two who were told the same Retry-After wait for different times."""
    tried = Try("GET", False, Failure.BUSY, 1.0, 15.0)
    waits = {wait_before_retry(tried, chance) for chance in (one, other)}
    assert len(waits) == len({1.0 + 0.1 * one, 1.0 + 0.1 * other})


@given(st.lists(st.sampled_from(["call", "retry"]), max_size=300))
def test_a54_retries_add_at_most_a_tenth(events: list[str]) -> None:
    """Of any run of calls, never more than a tenth is repeated, and five that were in hand."""
    budget = Budget()
    calls = retries = 0
    for event in events:
        if event == "call":
            budget.earn()
            calls += 1
        else:
            retries += budget.spend()
        assert retries <= 5 + calls / 10


def test_a54_a_program_that_restarts_is_asked_once_more() -> None:
    """Nobody listened, so nothing was sent: also a POST is sent again, once."""
    with play(answers(200, b"{}")) as (url, requests), fault_proxy(url) as proxy:
        proxy.switch(Fault.REFUSE)

        def restart(_seconds: float) -> None:
            proxy.switch(Fault.NONE)

        assert HttpClient(proxy.url, QUICK, pause=restart).send("POST", "/").status == 200
        assert len(requests) == 1


@pytest.mark.parametrize(("minimum", "state"), [(2, "open"), (3, "closed")])
def test_a54_nobody_listening_is_asked_twice_and_no_more(minimum: int, state: str) -> None:
    """One retry in one layer: neither the library nor anything above it adds its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    pauses, breaker = Pauses(), Breaker(Rules(minimum=minimum))
    with pytest.raises(PartnerUnavailable):
        HttpClient(url, QUICK, breaker, pauses).send("POST", "/")
    assert len(pauses.seconds) == 1
    # The breaker counts tries: two, not one and not three.
    assert breaker.state() == state


@pytest.mark.parametrize(
    ("method", "harmless", "sent"), [("GET", False, 2), ("POST", True, 2), ("POST", False, 1)]
)
@pytest.mark.parametrize("status", [429, 503])
def test_a54_a_busy_service_is_asked_again_when_it_said(
    status: int, method: str, harmless: bool, sent: int
) -> None:
    """429 and 503 with Retry-After: once more for a call that is harmless, not sooner than it said."""
    pauses = Pauses()
    with play(answers(status, b"{}", "Retry-After: 0")) as (url, requests):
        with pytest.raises(PartnerUnavailable) as raised:
            HttpClient(url, QUICK, pause=pauses).send(method, "/", harmless=harmless)
        assert len(requests) == sent
    assert len(pauses.seconds) == sent - 1
    assert raised.value.retry_after == 0


def test_a54_whoever_has_to_wait_long_is_told() -> None:
    """A Retry-After beyond the deadline is passed on, and nobody waits for it here."""
    pauses = Pauses()
    with play(answers(503, b"{}", "Retry-After: 60")) as (url, requests):
        with pytest.raises(PartnerUnavailable) as raised:
            HttpClient(url, QUICK, pause=pauses).send("GET", "/")
        assert (len(requests), pauses.seconds, raised.value.retry_after) == (1, [], 60)


def test_a54_an_outage_is_not_made_worse() -> None:
    """A hundred calls to a busy service are at most a hundred and fifteen."""
    breaker = Breaker(Rules(minimum=1000))
    with play(answers(429, b"{}", "Retry-After: 0")) as (url, requests):
        client = HttpClient(url, QUICK, breaker, Pauses())
        for _ in range(100):
            with pytest.raises(PartnerUnavailable):
                client.send("GET", "/")
        assert 100 < len(requests) <= 115


@pytest.mark.parametrize("fault", ["hangs up", "hangs"])
def test_a54_a_post_whose_answer_is_lost_is_never_sent_twice(fault: str) -> None:
    """It may have been done, harmless or not, and a service in trouble gets no second one.

    Its connection is its own. One that was kept may end for no such reason: ``test_upstream_kept.py``.
    """
    with play(FAULTS[fault]) as (url, requests):
        with pytest.raises(PartnerUnavailable):
            HttpClient(url, HURRIED).send("POST", "/", harmless=True)
        assert len(requests) == 1


def test_a57_cookies_are_not_kept() -> None:
    """A cookie that the partner service sets is never sent back: the next call is another user's."""
    with play(answers(200, b"{}", "Set-Cookie: a=b; Path=/")) as (url, requests):
        client = HttpClient(url, QUICK)
        client.send("GET", "/one")
        client.send("GET", "/two")
    assert all(b"cookie" not in request.lower() for request in requests)


def test_a57_redirects_are_not_followed() -> None:
    """The credentials go to the configured host and nowhere else."""
    with play(answers(200, b"{}")) as (elsewhere, seen):
        with (
            play(answers(307, b"", f"Location: {elsewhere}/")) as (url, _),
            pytest.raises(PartnerUnavailable),
        ):
            HttpClient(url, QUICK).send("POST", "/", headers={"Authorization": "Bearer x"})
        assert seen == []


def test_a57_the_environment_adds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither .netrc credentials nor a proxy from the environment is used; the bearer arrives unchanged."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login thief password thief\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with play(answers(200, b"{}")) as (url, requests):
        client = HttpClient(url, QUICK)
        client.send("GET", "/")
        client.send("GET", "/", headers={"Authorization": "Bearer ours"})
    assert b"authorization" not in requests[0].lower()
    assert b"authorization: bearer ours\r\n" in requests[1].lower()


@pytest.mark.parametrize("vouched", [False, True], ids=["nobody vouches", "the environment vouches"])
def test_a57_a_certificate_that_nobody_vouches_for_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vouched: bool
) -> None:
    """TLS is verified; variables of the environment neither vouch for a certificate nor get the keys."""
    front = Front(tmp_path)
    keys = tmp_path / "tls-keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if vouched:
            monkeypatch.setenv(name, str(front.authorities))
    with serve_tls(front.context) as (url, heard), pytest.raises(PartnerUnavailable, match="SSLError"):
        HttpClient(url, QUICK).send("GET", "/", headers={"Authorization": "Bearer x"})
    assert not any(heard)
    assert not keys.exists()


def test_a57_a_certificate_is_of_the_host_that_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Vouched for and of the host, it is taken; of another host, or unknown, it is shown in vain."""
    front = Front(tmp_path)
    trust(monkeypatch, front.authorities)
    with serve_tls(front.context) as (url, heard):
        assert HttpClient(url, QUICK).send("GET", "/").status == 200
        heard.clear()
        for fault in (TlsFault.WRONG_HOST, TlsFault.UNTRUSTED):
            front.show(fault)
            with pytest.raises(PartnerUnavailable, match="SSLError"):
                HttpClient(url, QUICK).send("GET", "/", headers={"Authorization": "Bearer x"})
        assert not any(heard)
