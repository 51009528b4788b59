"""Watching an attempt over HTTP: checks, the timeline, and the choice after a mismatch."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import update

from bff.cli.main import main
from bff.partner.storage import tables
from tests.support.world import World

pytestmark = pytest.mark.one_database


def launched(world: World, token: str, connector: str = "sandbox") -> tuple[str, str]:
    """An attempt whose user is on the way: its id, and the minted URL."""
    attempt = world.begin(token, connector)
    return attempt["id"], world.launch(attempt["launch_token"]).headers["Location"]


def number_in(url: str) -> str:
    """The account connector's id in a minted URL."""
    return parse_qs(urlsplit(url).query)["id"][0]


@pytest.mark.both_databases
def test_many_pages_cost_one_check(world: World) -> None:
    """Twenty reads at once of one attempt: the partner service is asked once."""
    attempt, url = launched(world, world.session())
    with ThreadPoolExecutor(20) as pool:
        told = list(pool.map(lambda _: world.read(attempt, "")["status"], range(20)))
    assert set(told) == {"launched"}
    assert world.partner_calls.checks(number_in(url)) == 1


def test_a_read_that_says_cancel_is_a_read_like_any_other(world: World) -> None:
    """It ends nothing, so it waits for its turn, and nobody is said to have given up."""
    token = world.session()
    attempt, url = launched(world, token)
    path = f"/v1/attempts/{attempt}"
    for _ in range(5):
        world.page("GET", path, token, headers={"X-Hitchpost": "cancel"})
        assert world.read(attempt, "?hint=cancel")["status"] == "launched"
    assert world.partner_calls.checks(number_in(url)) == 1
    assert "cancel_seen" not in {step["step"] for step in world.read(attempt, "")["timeline"]}


@pytest.mark.both_databases
def test_a_slow_check_keeps_nobody_else_waiting(world: World) -> None:
    """One check hangs at the partner service: other reads are answered meanwhile, and ask nothing."""
    attempt, url = launched(world, world.session())
    world.partner_calls.open.clear()
    try:
        first = threading.Thread(target=world.read, args=(attempt,))
        first.start()
        deadline = time.monotonic() + 10
        while world.partner_calls.checks(number_in(url)) == 0 and time.monotonic() < deadline:
            os.sched_yield()
        for hint in ("", "?hint=message", "?hint=closed"):
            assert world.read(attempt, hint)["status"] == "launched"
        assert first.is_alive()
        assert world.partner_calls.checks(number_in(url)) == 1
    finally:
        world.partner_calls.open.set()
    first.join()


def test_the_timeline_tells_the_story(world: World) -> None:
    """The host's server reads every step with its time; the page reads none."""
    token = world.session()
    attempt, url = launched(world, token)
    world.read(attempt, "?hint=closed")
    world.sign_in(url)
    told = world.read(attempt)
    assert told["status"] == "connected"
    steps = [step["step"] for step in told["timeline"]]
    assert steps[:3] == ["prepared", "launched", "minted"]
    assert steps[-1] == "connected"
    assert {"closed_seen", "message_seen", "checked"} <= set(steps)
    assert "timeline" not in world.page("GET", f"/v1/attempts/{attempt}", token).json()
    assert parse_qs(urlsplit(url).query)["token"][0] not in str(told)


def test_a_header_tells_the_signal(world: World) -> None:
    """A page names it in a header, so that all its looks have one address; that one comes first."""
    token = world.session()
    attempt, _url = launched(world, token)
    told = {"X-Hitchpost": "focus"}
    world.page("GET", f"/v1/attempts/{attempt}?hint=closed", token, headers=told)
    world.page("GET", f"/v1/attempts/{attempt}", token, headers={"X-Hitchpost": "1"})
    steps = {step["step"] for step in world.read(attempt, "")["timeline"]}
    assert {step for step in steps if step.endswith("_seen")} == {"focus_seen"}


def test_an_operator_reads_the_story_by_its_support_code(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`hitchpost attempts show CODE` prints what happened, in words."""
    told = world.read(world.connect(world.session()))
    monkeypatch.setenv("HITCHPOST_DATABASE_URL", world.bff_database)
    capsys.readouterr()
    assert main(["attempts", "show", told["support_code"].lower()]) == 0
    shown = capsys.readouterr().out
    assert told["id"] in shown
    assert "a sign-in token was minted" in shown
    assert "ended: connected" in shown
    assert main(["attempts", "show", "NONE-0000"]) == 2
    assert "there is no attempt" in capsys.readouterr().err


def mismatched(world: World, token: str) -> str:
    """Ada is connected; a reconnect signs Grace in: the id of that attempt."""
    attempt, url = launched(world, token)
    world.sign_in(url)
    assert world.read(attempt)["connection"]["external_account"] == "ada@sandbox.example"
    attempt, url = launched(world, token)
    page = world.sign_in(url, account="grace@sandbox.example")
    assert "another account" in page.text
    return attempt


def connected_account(world: World) -> str:
    """Whose account the partner service has connected."""
    told = world.server("GET", f"/v1/connections?account={world.account}").json()
    return str(told["connections"][0]["external_account"])


def test_another_account_does_not_replace_the_connected_one(world: World) -> None:
    """A reconnect with another third-party account: the old grant stands, and the page is told."""
    told = world.read(mismatched(world, world.session()))
    assert (told["status"], told["error"]["code"]) == ("failed", "account_mismatch")
    said = told["error"]["next_step"]
    assert said.startswith("ada@sandbox.example is still connected; grace@sandbox.example signed in")
    assert connected_account(world) == "ada@sandbox.example"


def test_the_other_account_can_be_chosen(world: World) -> None:
    """*Use this account instead*: a new attempt is connected with it; the failed one stays failed."""
    token = world.session()
    attempt = mismatched(world, token)
    world.read(attempt)
    chosen = world.page("POST", f"/v1/attempts/{attempt}/accept", token, json={}).json()
    assert chosen["id"] != attempt
    assert chosen["status"] == "connected"
    assert chosen["connection"]["external_account"] == "grace@sandbox.example"
    assert connected_account(world) == "grace@sandbox.example"
    assert world.read(attempt)["status"] == "failed"


@pytest.mark.both_databases
def test_a_choice_that_comes_too_late_says_so(world: World) -> None:
    """The partner service holds the other account's grant for a while only; the connected one stays."""
    token = world.session()
    attempt = mismatched(world, token)
    world.read(attempt)
    with world.partner_service.database.writing() as connection:
        connection.execute(update(tables.sign_in).values(held=None))
    late = world.page("POST", f"/v1/attempts/{attempt}/accept", token, json={})
    assert (late.status_code, late.json()["error"]["code"]) == (410, "expired")
    assert connected_account(world) == "ada@sandbox.example"


@pytest.mark.both_databases
def test_a_choice_is_made_once(world: World) -> None:
    """However often it is pressed, at once or again: one new attempt, and all are answered with it."""
    token = world.session()
    attempt = mismatched(world, token)
    world.read(attempt)
    path = f"/v1/attempts/{attempt}/accept"
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: world.page("POST", path, token, json={}), range(12)))
    assert {answer.status_code for answer in answers} == {200}
    again = world.page("POST", path, token, json={}).json()
    assert {answer.json()["id"] for answer in answers} == {again["id"]}
    assert again["status"] == "connected"
    assert connected_account(world) == "grace@sandbox.example"
