"""A Connect click over HTTP, from the session to the outcome."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.support.world import HOST, World


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


def test_only_the_own_sign_in_counts(world: World) -> None:
    """A connector that is connected already says nothing about an attempt that was declined since."""
    token = world.session()
    assert world.read(world.connect(token))["status"] == "connected"
    assert world.read(world.connect(token, decision="deny"))["status"] == "declined"
    assert world.read(world.connect(token))["status"] == "connected"


def test_an_unfinished_sign_in_stays_launched(world: World) -> None:
    """Nobody has signed in yet: the attempt is launched, however often it is read."""
    attempt = world.begin(world.session())
    assert world.read(attempt["id"])["status"] == "created"
    world.launch(attempt["launch_token"])
    assert world.read(attempt["id"])["status"] == "launched"
    assert world.read(attempt["id"])["status"] == "launched"


def test_the_launch_leads_to_the_partner_service(world: World) -> None:
    """The launch answers 303 to the partner's page, every value in it as it was meant."""
    attempt = world.begin(world.session())
    answer = world.launch(attempt["launch_token"])
    assert answer.status_code == 303
    url = urlsplit(answer.headers["Location"])
    values = parse_qs(url.query, strict_parsing=True)
    assert f"{url.scheme}://{url.netloc}" == world.partner == attempt["partner_origin"]
    assert url.path == "/connectorauth/updateaccountconnectoroauth"
    assert values["targetOrigin"] == [HOST]
    assert values["callbackMessage"] == [attempt["callback_message"]]
    assert len(values["token"][0]) == 44
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.text == ""


def test_a_launch_token_is_good_once(world: World) -> None:
    """Of many launches at once, one goes on; the others get a page that says so."""
    attempt = world.begin(world.session())
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: world.launch(attempt["launch_token"]), range(20)))
    assert sorted(answer.status_code for answer in answers) == [303] + [410] * 19
    refused = next(answer for answer in answers if answer.status_code == 410)
    assert "no longer good" in refused.text


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "https://staging.example:8443"])
def test_a_launch_from_elsewhere_asks_first(world: World, origin: str | None) -> None:
    """A launch that comes from neither the opening page nor the page that began asks, and uses nothing up."""
    attempt = world.begin(world.session())
    page = world.launch(attempt["launch_token"], origin=origin)
    assert page.status_code == 200
    assert "Demo SaaS" in page.text
    assert "Ada" in page.text
    assert world.account in page.text
    assert "Location" not in page.headers
    assert world.read(attempt["id"])["status"] == "created"
    assert world.launch(attempt["launch_token"]).status_code == 303


def test_the_host_page_may_launch_in_its_own_tab(world: World) -> None:
    """Same-tab mode: the page that began posts the token itself, and the flow comes back to it."""
    token = world.session()
    attempt = world.begin(token, delivery="return", return_url=f"{HOST}/tools?tab=2")
    answer = world.launch(attempt["launch_token"], origin=HOST)
    assert answer.status_code == 303
    values = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert "callbackMessage" not in values
    assert values["targetOrigin"][0].startswith(f"{world.bff}/connect/return/")
    last = world.sign_in(answer.headers["Location"])
    assert last.url.startswith(f"{world.bff}/connect/return/")
    assert world.read(attempt["id"])["status"] == "connected"
    reported = requests.post(last.url, headers={"Origin": world.bff}, timeout=10)
    assert reported.json() == {"status": "connected", "return_url": f"{HOST}/tools?tab=2"}


def test_only_the_return_page_reports_a_return(world: World) -> None:
    """A report from any other page is refused."""
    attempt = world.begin(world.session(), delivery="return", return_url=f"{HOST}/")
    values = parse_qs(urlsplit(world.launch(attempt["launch_token"]).headers["Location"]).query)
    target = values["targetOrigin"][0]
    assert requests.post(target, timeout=10).status_code == 403
    assert requests.post(target, headers={"Origin": HOST}, timeout=10).status_code == 403


def test_cancel_tells_what_really_happened(world: World) -> None:
    """The user presses Cancel after the sign-in has finished: it is connected, not cancelled."""
    token = world.session()
    attempt = world.begin(token)
    world.sign_in(world.launch(attempt["launch_token"]).headers["Location"])
    told = world.page("POST", f"/v1/attempts/{attempt['id']}/cancel", token, json={})
    assert told.json()["status"] == "connected"


def test_cancel_ends_an_attempt(world: World) -> None:
    """A cancelled attempt stays cancelled, and its launch token is no longer good."""
    token = world.session()
    attempt = world.begin(token)
    told = world.page("POST", f"/v1/attempts/{attempt['id']}/cancel", token, json={})
    assert told.json()["status"] == "cancelled"
    assert world.launch(attempt["launch_token"]).status_code == 410
    assert world.read(attempt["id"])["status"] == "cancelled"


def test_two_attempts_at_once_learn_their_own_ends(world: World) -> None:
    """Two tabs sign in to one connector, one is allowed and one denied: each page learns its own end."""
    token = world.session()
    first, second = world.begin(token), world.begin(token)
    urls = [world.launch(attempt["launch_token"]).headers["Location"] for attempt in (first, second)]
    world.sign_in(urls[0], "allow")
    world.sign_in(urls[1], "deny")
    assert world.read(first["id"])["status"] == "connected"
    assert world.read(second["id"])["status"] == "declined"


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


def test_the_message_of_a_plain_template_is_posted_as_it_is(world: World) -> None:
    """A plain message is exactly the team's text; a sealed one wraps it with a nonce."""
    token = world.session()
    assert world.begin(token, message="done")["callback_message"] == "done"
    sealed = json.loads(world.begin(token)["callback_message"])
    assert sealed["type"] == "hitchpost.callback"
    assert sealed["message"] == "connected:sandbox"
    assert len(sealed["nonce"]) >= 43


def test_a_minted_url_for_a_server_that_redirects(world: World) -> None:
    """`POST /v1/sign-in-urls` answers a URL that signs in once."""
    body = {
        "user": {"id": "ada"},
        "account": {"id": world.account},
        "connector": "sandbox",
        "target_origin": HOST,
        "callback_message": "done",
    }
    answer = world.server("POST", "/v1/sign-in-urls", json=body)
    assert answer.status_code == 201
    last = world.sign_in(answer.json()["url"])
    assert 'data-message="done"' in last.text
    assert world.sign_in(answer.json()["url"]).status_code == 403
    connections = world.server("GET", f"/v1/connections?account={world.account}").json()
    assert "sandbox" in [item["connector"] for item in connections["connections"]]


def test_an_attempt_belongs_to_who_began_it(world: World) -> None:
    """Another user, another account and another product find nothing."""
    attempt = world.begin(world.session())
    path = f"/v1/attempts/{attempt['id']}"
    assert world.page("GET", path, world.session(user="grace")).status_code == 404
    elsewhere = replace(world, account="someone-else")
    assert world.page("GET", path, elsewhere.session()).status_code == 404
    assert world.server("GET", path, key="sk_other_" + "b" * 24).status_code == 404
    assert world.page("POST", path + "/cancel", world.session(user="grace"), json={}).status_code == 404


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
