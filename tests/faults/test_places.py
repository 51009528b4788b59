"""Every fault at each place where one program calls another: its outcome, and that it heals by itself."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from bff.adapters.breaker import Breaker
from bff.http.services import EXTENSION
from tests.support.fault_proxy import Fault
from tests.support.faulty_world import FaultyWorld, open_faulty_world

ROUNDS = int(os.environ.get("HITCHPOST_FAULT_ROUNDS") or 0)
HARMLESS = {Fault.NONE, Fault.LATENCY}
# The embedded service waits for a third party for as long as a person may: only a long run waits with it.
SLOW = {Fault.DRIP, Fault.HALF_OPEN, Fault.BLACK_HOLE} if ROUNDS < 20 else set()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyWorld]:
    """A world with proxies, whose BFF waits for a second and a half at most."""
    print(f"\n{'place':15} {'moment':9} {'fault':11} {'seconds':>7}  {'answer':>6}  outcome")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CONNECT", "READ", "TOTAL"):
            patch.setenv(f"HITCHPOST_PARTNER_{name}_TIMEOUT", "1.5")
        with open_faulty_world(tmp_path_factory.mktemp("places")) as opened:
            yield opened


@pytest.fixture
def world(shared: FaultyWorld, request: pytest.FixtureRequest) -> FaultyWorld:
    """An account of its own, the faults of the last test mended, and no breaker that remembers them."""
    for proxy in (shared.before_partner, shared.before_sandbox):
        proxy.switch(Fault.NONE)
    shared.bff_app.extensions[EXTENSION].sign_in_urls._partner._http.breaker = Breaker()
    return replace(shared, account=f"account of {request.node.name}")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("fault", Fault)
def test_the_partner_service_at_the_launch(world: FaultyWorld, fault: Fault) -> None:
    """The click ends as unavailable, at once known to the page; the next one connects."""
    token = world.session()
    attempt = world.begin(token)
    world.before_partner.switch(fault)
    began = time.monotonic()
    launched = world.launch(attempt["launch_token"])
    told = world.read(attempt["id"])
    tell("before partner", "launch", fault, began, launched.status_code, told)
    if fault in HARMLESS:
        assert (launched.status_code, told["status"]) == (303, "launched")
        return
    assert (launched.status_code, told["status"]) == (503, "failed")
    assert told["error"]["code"] == "partner_unavailable"
    heals(world, token)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("fault", Fault)
def test_the_partner_service_at_the_end(world: FaultyWorld, fault: Fault) -> None:
    """A sign-in that has finished is not told as anything else: it is told when the fault is over."""
    attempt = world.connect(world.session())
    world.before_partner.switch(fault)
    began = time.monotonic()
    told = world.read(attempt)
    tell("before partner", "read", fault, began, 200, told)
    assert told["status"] == ("connected" if fault in HARMLESS else "launched")
    world.before_partner.switch(Fault.NONE)
    assert world.read(attempt)["status"] == "connected"


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


def heals(world: FaultyWorld, token: str) -> None:
    """Without a restart, the next click connects."""
    for proxy in (world.before_partner, world.before_sandbox):
        proxy.switch(Fault.NONE)
    assert world.read(world.connect(token))["status"] == "connected"


def tell(place: str, moment: str, fault: Fault, began: float, status: int, told: dict[str, object]) -> None:
    """A line of the table."""
    error = told["error"]
    code = f" ({error['code']})" if isinstance(error, dict) else ""
    spent = time.monotonic() - began
    print(f"{place:15} {moment:9} {fault:11} {spent:7.2f}  {status:>6}  {told['status']}{code}")
