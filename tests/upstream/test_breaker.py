"""An upstream that fails is left alone: callers are told at once, and one of them sees when it is over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from bff.common.errors import PartnerUnavailable
from bff.outbound.breaker import Breaker, CircuitOpen, Rules
from bff.outbound.client import HttpClient, Limits
from bff.web.kit.services import EXTENSION
from tests.support.databases import DatabaseUrl
from tests.support.fault_proxy import Fault, fault_proxy
from tests.support.faulty_world import FaultyWorld, open_faulty_world
from tests.support.raw_server import QUICK, answers, play, send
from tests.support.waiting import wait_for

pytestmark = pytest.mark.one_database

RULES = Rules(window=10.0, minimum=4, ratio=0.5, pause=3.0)


class BreakerMachine(RuleBasedStateMachine):
    """Any calls, ending in any order at any time, against a plain description of what a breaker is."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.breaker = Breaker(RULES, lambda: self.now)
        self.out: list[tuple[int, str]] = []
        self.ended: list[tuple[float, bool]] = []
        self.opened_at: float | None = None
        self.probe: int | None = None

    @rule(seconds=st.floats(0, 12))
    def pass_time(self, seconds: float) -> None:
        """Time goes by."""
        self.now += seconds

    @rule()
    def call(self) -> None:
        """Somebody calls: let through when closed, or as the one probe when the pause is over."""
        pause_over = self.opened_at is not None and self.now >= self.opened_at + RULES.pause
        may = self.opened_at is None or (pause_over and self.probe is None)
        try:
            ticket = self.breaker.enter()
        except CircuitOpen as stopped:
            told = stopped.retry_after
        else:
            told = None
        assert (told is None) == may
        if told is not None:
            assert 0 < told <= RULES.pause
            return
        if self.opened_at is not None:
            self.probe = ticket
        self.out.append((ticket, "probe" if self.opened_at is not None else "call"))

    @precondition(lambda self: self.out)
    @rule(which=st.integers(0, 1000), failed=st.sampled_from([True, False, None]))
    def end(self, which: int, failed: bool | None) -> None:
        """One of the calls that are out ends, well or badly, or in a way that says nothing (None)."""
        ticket, kind = self.out.pop(which % len(self.out))
        self.breaker.leave(ticket, failed=failed)
        if failed is None:
            self.probe = None if kind == "probe" and ticket == self.probe else self.probe
        elif kind == "probe" and ticket == self.probe:
            self.probe, self.ended = None, []
            self.opened_at = self.now if failed else None
            self.out = [(old, "late") for old, _ in self.out]
        elif kind == "call" and self.opened_at is None:
            self.ended.append((self.now, failed))
            recent = [bad for at, bad in self.ended if at > self.now - RULES.window]
            if failed and len(recent) >= RULES.minimum and sum(recent) >= RULES.ratio * len(recent):
                self.opened_at = self.now
                self.out = [(old, "late") for old, _ in self.out]
        wanted = "closed" if self.opened_at is None else "open" if self.probe is None else "half-open"
        assert self.breaker.state() == wanted


def test_a56_the_breaker_opens_probes_once_and_closes() -> None:
    """In whatever order things happen: open on enough failures, one probe at a time, closed by a success."""
    run_state_machine_as_test(BreakerMachine, settings=settings(max_examples=100, stateful_step_count=40))


@pytest.mark.parametrize(("status", "opens"), [(500, True), (503, True), (404, False), (429, False)])
def test_a56_only_failures_of_the_service_count(status: int, opens: bool) -> None:
    """5xx opens it; a 4xx is an answer like any other, and so is 429."""
    breaker = Breaker(RULES)
    with play(answers(status, b"{}")) as (url, _):
        client = HttpClient(url, QUICK, breaker)
        for _ in range(RULES.minimum):
            ask(client)
    assert breaker.state() == ("open" if opens else "closed")


def test_a56_an_error_about_one_account_does_not_count() -> None:
    """The embedded service says so: one broken connection must not stop the sign-ins of all products."""
    breaker = Breaker(RULES)
    with play(answers(500, b"{}", "Hitchpost-One-Account: 1")) as (url, _):
        client = HttpClient(url, QUICK, breaker)
        for _ in range(2 * RULES.minimum):
            assert ask(client) is not None
    assert breaker.state() == "closed"


@pytest.mark.parametrize("fault", [Fault.REFUSE, Fault.RESET, Fault.BLACK_HOLE, Fault.TRUNCATED, Fault.DRIP])
def test_a56_broken_calls_count(fault: Fault) -> None:
    """Time-outs and broken connections open it; then nothing is sent, and callers hear when to return."""
    breaker = Breaker(RULES)
    with play(answers(200, b"{}")) as (url, _), fault_proxy(url) as proxy:
        client = HttpClient(proxy.url, Limits(0.2, 0.2, 0.3), breaker)
        proxy.switch(fault)
        for _ in range(RULES.minimum):
            ask(client)
        assert breaker.state() == "open"
        proxy.switch(Fault.NONE)
        met = proxy.accepted
        told = ask(client)
        assert told is not None
        assert told.retry_after is not None
        assert proxy.accepted == met


def test_a56_calls_run_in_parallel() -> None:
    """Ten calls are with the service at once: it answers none before it has all ten."""
    together = threading.Barrier(10)

    def act(connection: object, _request: bytes, _over: threading.Event) -> None:
        together.wait(20)
        send(connection, 200, b"{}")  # type: ignore[arg-type]

    with play(act) as (url, _), ThreadPoolExecutor(10) as pool:
        client = HttpClient(url, Limits(1.0, 20.0, 20.0), Breaker(RULES))
        assert [found.status for found in pool.map(lambda _: client.send("GET", "/"), range(10))] == [
            200
        ] * 10


def test_a56_of_many_callers_one_is_the_probe() -> None:
    """The pause is over, thirty call at once: the service, still slow, is met by one."""
    now = [0.0]
    breaker = Breaker(RULES, lambda: now[0])
    for _ in range(RULES.minimum):
        breaker.leave(breaker.enter(), failed=True)
    now[0] += RULES.pause
    met, go_on = [], threading.Event()

    def act(connection: object, request: bytes, _over: threading.Event) -> None:
        met.append(request)
        go_on.wait(20)
        send(connection, 200, b"{}")  # type: ignore[arg-type]

    with play(act) as (url, _), ThreadPoolExecutor(30) as pool:
        client = HttpClient(url, Limits(1.0, 20.0, 20.0), breaker)
        calls = [pool.submit(ask, client) for _ in range(30)]
        wait_for(lambda: sum(call.done() for call in calls) == 29)
        assert breaker.state() == "half-open"
        go_on.set()
        assert [call.result() for call in calls].count(None) == 1
    assert len(met) == 1
    assert breaker.state() == "closed"


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory, database_url: DatabaseUrl) -> Iterator[FaultyWorld]:
    """A world with proxies, whose BFF waits for half a second at most."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CONNECT", "READ", "TOTAL"):
            patch.setenv(f"HITCHPOST_PARTNER_{name}_TIMEOUT", "0.5")
        with open_faulty_world(tmp_path_factory.mktemp("faulty"), database_url) as opened:
            yield opened


def test_a56_an_outage_of_the_partner_service(faulty: FaultyWorld) -> None:
    """Black-holed: launches wait (503, Retry-After), soon without a call; what needs no partner answers.

    When it is over, the next click goes through, without a restart.
    """
    breaker = quick_breaker(faulty)
    token = faulty.session()
    assert faulty.read(faulty.connect(token))["status"] == "connected"
    threads = busy_threads()
    faulty.before_partner.switch(Fault.BLACK_HOLE)
    failed = []
    with ThreadPoolExecutor(RULES.minimum) as pool:
        while breaker.state() != "open":
            began = [faulty.begin(token) for _ in range(RULES.minimum)]
            failed += [attempt["id"] for attempt in began]
            for launched in pool.map(faulty.launch, [attempt["launch_token"] for attempt in began]):
                assert_sent_away(launched)
    met = faulty.before_partner.accepted
    for _ in range(2):
        attempt = faulty.begin(token)
        assert_sent_away(faulty.launch(attempt["launch_token"]))
        failed.append(attempt["id"])
    assert_readable(faulty, failed)
    (one,) = faulty.server("GET", f"/v1/connections?account={faulty.account}").json()["connections"]
    assert (one["state"], one["last_state"]) == ("unknown", "connected")
    assert faulty.server("GET", "/v1/connections?account=nothing-known").status_code == 503
    assert faulty.before_partner.accepted == met
    wait_for(lambda: busy_threads() <= threads)
    faulty.before_partner.switch(Fault.NONE)
    breaker._opened_at -= 60
    assert faulty.read(faulty.connect(token))["status"] == "connected"
    assert breaker.state() == "closed"


def test_a56_no_thread_is_held_longer_than_its_deadline(faulty: FaultyWorld) -> None:
    """Thirty launches into a black hole at once: all are answered, and every thread is free again."""
    quick_breaker(faulty, Rules(minimum=1000))
    token = faulty.session()
    before = busy_threads()
    faulty.before_partner.switch(Fault.BLACK_HOLE)
    with ThreadPoolExecutor(30) as pool:
        tokens = [faulty.begin(token)["launch_token"] for _ in range(30)]
        for launched in pool.map(faulty.launch, tokens):
            assert_sent_away(launched)
    wait_for(lambda: busy_threads() <= before)
    faulty.before_partner.switch(Fault.NONE)


def quick_breaker(faulty: FaultyWorld, rules: Rules = RULES) -> Breaker:
    """A fresh breaker for the BFF's client."""
    client = faulty.bff_app.extensions[EXTENSION].attempts.poller._partner._partner
    client._http.breaker = Breaker(rules)
    assert client.breaker_state() == "closed"
    found: Breaker = client._http.breaker
    return found


def busy_threads() -> int:
    """Threads of the programs' servers that are with a request."""
    return sum("process_request" in item.name for item in threading.enumerate())


def assert_sent_away(launched: requests.Response) -> None:
    """A page that says so, and when to come back."""
    assert launched.status_code == 503
    assert int(launched.headers["Retry-After"]) > 0


def assert_readable(faulty: FaultyWorld, attempts: list[str]) -> None:
    """Health and attempts need no partner service."""
    for path in ("/health/live", "/health/ready"):
        assert requests.get(faulty.bff + path, timeout=20).status_code == 200
    for attempt_id in attempts:
        told = faulty.read(attempt_id)
        assert (told["status"], told["error"]) == ("launched", None)


def ask(client: HttpClient) -> PartnerUnavailable | None:
    """One call; what it was told when it failed."""
    try:
        client.send("GET", "/")
    except PartnerUnavailable as told:
        return told
    return None
