"""A Connect click over HTTP, from the session to the outcome."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.support.world import HOST, World

pytestmark = pytest.mark.one_database


def test_an_allowed_sign_in_is_connected(world: World) -> None:
    """The user allows: the attempt is connected, and says which account was connected."""
    told = world.read(world.connect(world.session()))
    assert told["status"] == "connected"
    assert told["connection"]["external_account"] == "ada@sandbox.example"
    assert told["message"] == "connected:sandbox"
    assert told["error"] is None


def test_a_denied_sign_in_is_declined(world: World) -> None:
    """The user denies: the attempt is declined, with words fit for a person."""
    told = world.read(world.connect(world.session(), decision="deny"))
    assert told["status"] == "declined"
    assert told["connection"] is None
    assert set(told["error"]) == {"code", "title", "next_step"}


def test_a_broken_third_party_is_failed(world: World) -> None:
    """The third party's token endpoint fails: so has the attempt."""
    told = world.read(world.connect(world.session(), "sandbox-broken"))
    assert (told["status"], told["error"]["code"]) == ("failed", "failed")


def test_the_host_page_may_launch_in_its_own_tab(world: World) -> None:
    """Same-tab mode: the page that began posts the token itself, and the flow comes back to it.

    Applications keep a lot in the address of a page.
    """
    token, page = world.session(), f"{HOST}/tools?tab=2#{'filter=open&' * 1000}"
    attempt = world.begin(token, delivery="return", return_url=page)
    answer = world.launch(attempt["launch_token"], origin=HOST)
    assert answer.status_code == 303
    values = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert "callbackMessage" not in values
    assert values["targetOrigin"][0].startswith(f"{world.bff}/connect/return/")
    last = world.sign_in(answer.headers["Location"])
    assert last.url.startswith(f"{world.bff}/connect/return/")
    assert world.read(attempt["id"])["status"] == "connected"
    reported = requests.post(last.url, headers={"Origin": world.bff}, timeout=10)
    assert reported.json() == {"status": "connected", "return_url": page}


def test_only_the_return_page_reports_a_return(world: World) -> None:
    """A report from any other page is refused."""
    attempt = world.begin(world.session(), delivery="return", return_url=f"{HOST}/")
    values = parse_qs(urlsplit(world.launch(attempt["launch_token"]).headers["Location"]).query)
    target = values["targetOrigin"][0]
    assert requests.post(target, timeout=10).status_code == 403
    assert requests.post(target, headers={"Origin": HOST}, timeout=10).status_code == 403


@pytest.mark.both_databases
def test_a_connector_that_the_partner_lacks_fails_the_launch(world: World) -> None:
    """The product offers what the partner service does not have: a page in words, and the attempt failed."""
    catalogue = world.bff_app.extensions["hitchpost"].catalogue
    catalogue.ask_anew()  # Were it known, no attempt would begin.
    catalogue._kept.clear()
    attempt = world.begin(world.session(), "ghost")
    page = world.launch(attempt["launch_token"])
    assert page.status_code == 502
    assert "not available" in page.text
    told = world.read(attempt["id"])
    assert (told["status"], told["error"]["code"]) == ("failed", "connector_unavailable")


def test_what_the_third_party_answered_is_in_the_story_of_a_failure(world: World) -> None:
    """Its status and its own error, for operators; pages are told nothing of it."""
    told = world.read(world.connect(token := world.session(), "sandbox-broken"))
    (failed,) = [step for step in told["timeline"] if step["step"] == "failed"]
    assert failed["detail"] == "token 500 server_error"
    assert "server_error" not in world.page("GET", f"/v1/attempts/{told['id']}", token).text
    declined = world.read(world.connect(token, decision="deny"))
    assert [step["detail"] for step in declined["timeline"] if step["step"] == "declined"] == [
        "authorize access_denied"
    ]
