"""Every fault at each place where one program calls another: its outcome, and that it heals by itself."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from bff.outbound.breaker import Breaker
from bff.outbound.client import Limits
from bff.web.kit.services import EXTENSION
from tests.support.fault_proxy import Fault
from tests.support.faulty_world import FaultyWorld, open_faulty_world
from tests.support.tls import Front, TlsFault, trust
from tests.support.waiting import wait_for

ROUNDS = int(os.environ.get("HITCHPOST_FAULT_ROUNDS") or 0)
HARMLESS = {Fault.NONE, Fault.LATENCY}
HANGING = {Fault.DRIP, Fault.HALF_OPEN, Fault.BLACK_HOLE}
PATIENCE = Limits(3, 3, 3)
"""The BFF's: a busy machine takes a second by itself."""
SHORT = Limits(0.5, 0.5, 0.5)
"""While nothing comes anyway."""
ASKS = 0.2
# The embedded service waits for a third party for as long as a person may: only a long run waits with it.
SLOW = HANGING if ROUNDS < 20 else set()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyWorld]:
    """A world with proxies."""
    print(f"\n{'place':15} {'moment':9} {'fault':11} {'seconds':>7}  {'answer':>6}  outcome")
    with open_faulty_world(tmp_path_factory.mktemp("places")) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyWorld]:
    """One in which both services speak TLS to the programs that call them."""
    with pytest.MonkeyPatch.context() as patch:
        front = Front(tmp_path_factory.mktemp("certificates"))
        trust(patch, front.authorities)
        with open_faulty_world(tmp_path_factory.mktemp("tls"), tls=front) as opened:
            yield opened


@pytest.fixture
def world(shared: FaultyWorld, request: pytest.FixtureRequest) -> FaultyWorld:
    """An account of its own, the faults of the last test mended, and no breaker that remembers them."""
    return begin_anew(shared, request.node.name)


@pytest.fixture
def tls_world(shared_tls: FaultyWorld, request: pytest.FixtureRequest) -> FaultyWorld:
    """The same with TLS."""
    return begin_anew(shared_tls, request.node.name)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("fault", Fault)
def test_the_partner_service_at_the_launch(world: FaultyWorld, fault: Fault) -> None:
    """The launch is given back: the same click goes on when the fault is over, as does the next one."""
    token = world.session()
    attempt = world.begin(token)
    break_partner(world, fault)
    began = time.monotonic()
    launched = world.launch(attempt["launch_token"])
    told = world.read(attempt["id"])
    tell("before partner", "launch", fault, began, launched.status_code, told)
    if fault in HARMLESS:
        assert (launched.status_code, told["status"]) == (303, "launched")
        return
    assert (launched.status_code, told["status"], told["error"]) == (503, "launched", None)
    heals(world, token)
    assert world.launch(attempt["launch_token"]).status_code == 303


@pytest.mark.timeout(60)
@pytest.mark.parametrize("fault", Fault)
def test_the_partner_service_at_the_end(world: FaultyWorld, fault: Fault) -> None:
    """A sign-in that has finished is not told as anything else: it is told when the fault is over."""
    attempt = world.connect(world.session())
    break_partner(world, fault)
    began = time.monotonic()
    told = world.read(attempt)
    tell("before partner", "read", fault, began, 200, told)
    assert told["status"] == ("connected" if fault in HARMLESS else "launched")
    mend(world)
    assert ended(world, attempt) == "connected"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("fault", [fault for fault in Fault if fault not in SLOW])
def test_the_third_party_at_the_exchange(world: FaultyWorld, fault: Fault) -> None:
    """The sign-in fails, told on the last page and to the host; the next one connects."""
    token = world.session()
    attempt, browser = world.begin(token), requests.Session()
    launched = world.launch(attempt["launch_token"], browser=browser)
    world.before_sandbox.switch(fault)
    began = time.monotonic()
    page = world.sign_in(launched.headers["Location"], browser=browser)
    told = world.read(attempt["id"])
    tell("before sandbox", "exchange", fault, began, page.status_code, told)
    if fault in HARMLESS:
        assert told["status"] == "connected"
        return
    assert told["status"] == "failed"
    assert told["error"]["code"] == "failed"
    heals(world, token)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("fault", TlsFault)
def test_tls_to_the_partner_service_at_the_launch(tls_world: FaultyWorld, fault: TlsFault) -> None:
    """The launch is given back, and whoever is there was told nothing; the next click connects."""
    token = tls_world.session()
    heals(tls_world, token)
    attempt = tls_world.begin(token)
    asked = len(tls_world.partner_calls.seen)
    break_tls(tls_world, fault)
    began = time.monotonic()
    launched = tls_world.launch(attempt["launch_token"])
    told = tls_world.read(attempt["id"])
    tell("TLS to partner", "launch", fault, began, launched.status_code, told)
    assert (launched.status_code, told["status"], told["error"]) == (503, "launched", None)
    assert len(tls_world.partner_calls.seen) == asked
    heals(tls_world, token)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("fault", TlsFault)
def test_tls_to_the_third_party_at_the_exchange(tls_world: FaultyWorld, fault: TlsFault) -> None:
    """The sign-in fails, and the code was told to nobody; the next one connects."""
    token = tls_world.session()
    heals(tls_world, token)
    attempt, browser = tls_world.begin(token), requests.Session()
    launched = tls_world.launch(attempt["launch_token"], browser=browser)
    asked = tls_world.sandbox_calls.tokens()
    answer = tls_world.sign_in(launched.headers["Location"], browser=browser, follow=False)
    break_tls(tls_world, fault)
    began = time.monotonic()
    page = browser.get(answer.headers["Location"], timeout=30)
    mend(tls_world)
    told = tls_world.read(attempt["id"])
    tell("TLS to sandbox", "exchange", fault, began, page.status_code, told)
    assert told["status"] == "failed"
    assert told["error"]["code"] == "failed"
    assert tls_world.sandbox_calls.tokens() == asked
    heals(tls_world, token)


def begin_anew(shared: FaultyWorld, name: str) -> FaultyWorld:
    """The world for the next test."""
    mend(shared)
    client = client_of(shared)
    client._http.breaker = Breaker()
    # What the last test's fault asked for (Retry-After) is obeyed by every poll, and is over.
    wait_for(lambda: client._calls._quiet.left() <= 0)
    return replace(shared, account=f"account of {name}")


def client_of(world: FaultyWorld) -> Any:
    """What calls the partner service."""
    return world.bff_app.extensions[EXTENSION].attempts.poller._partner._partner


def break_partner(world: FaultyWorld, fault: Fault) -> None:
    """From now on, whatever the partner service answers meets this."""
    world.before_partner.switch(fault)
    client_of(world)._http._limits = SHORT if fault in HANGING else PATIENCE


def break_tls(world: FaultyWorld, fault: TlsFault) -> None:
    """At both places, for every connection from now on."""
    assert world.tls is not None
    world.tls.show(fault)
    for proxy in (world.before_partner, world.before_sandbox):
        proxy.switch(Fault.GARBAGE if fault is TlsFault.NO_TLS else Fault.NONE)


def mend(world: FaultyWorld) -> None:
    """All is well from now on."""
    if world.tls is not None:
        world.tls.show(None)
    for proxy in (world.before_partner, world.before_sandbox):
        proxy.switch(Fault.NONE)
    client_of(world)._http._limits = PATIENCE


def heals(world: FaultyWorld, token: str) -> None:
    """Without a restart, the next click connects; it is told as soon as polls may go on (Retry-After)."""
    mend(world)
    assert ended(world, world.connect(token)) == "connected"


def ended(world: FaultyWorld, attempt: str) -> str:
    """What it ended as, for a page that asks now and then: each question takes one of sixteen polls."""
    return str(wait_for(lambda: (told := world.read(attempt)["status"]) != "launched" and told, every=ASKS))


def tell(
    place: str, moment: str, fault: Fault | TlsFault, began: float, status: int, told: dict[str, object]
) -> None:
    """A line of the table."""
    error = told["error"]
    code = f" ({error['code']})" if isinstance(error, dict) else ""
    spent = time.monotonic() - began
    print(f"{place:15} {moment:9} {fault:11} {spent:7.2f}  {status:>6}  {told['status']}{code}")
