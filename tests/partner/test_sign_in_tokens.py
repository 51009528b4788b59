"""Sign-in tokens: good once, for one account, and only when a person opens the link."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import update

from bff.partner import clock
from bff.partner.app import create_app
from bff.partner.crypto import sha256
from bff.partner.storage import tables
from tests.support.servers import serve
from tests.support.third_party import Connection, ThirdParty
from tests.support.world import World

pytestmark = pytest.mark.one_database


def get(url: str, **headers: str) -> requests.Response:
    """Open a link, as far as it leads."""
    return requests.get(url, headers=headers, timeout=30, allow_redirects=False)


@pytest.mark.both_databases
def test_a40_of_fifty_redemptions_at_once_one_succeeds(world: World, third: ThirdParty) -> None:
    """CVE-2026-22751 checked first and used up later."""
    connection = Connection(world, third.offer(world))
    url = connection.api.sign_in_url(connection.id)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: get(url).status_code, range(50)))
    assert sorted(answers) == [302] + [403] * 49


def test_a40_no_two_bad_tokens_can_be_told_apart(world: World, third: ThirdParty) -> None:
    """Used, expired, unknown and malformed ones get the same 403 page, and lead nowhere."""
    connection = Connection(world, third.offer(world))
    api = connection.api
    used, expired = api.sign_in_token(), api.sign_in_token()
    assert get(api.sign_in_url(connection.id, used)).status_code == 302
    with world.partner_service.database.writing() as database:
        ours = update(tables.sign_in_token).where(tables.sign_in_token.c.sha256 == sha256(expired))
        database.execute(ours.values(expires_at=clock.now() - timedelta(seconds=1)))
    pages = set()
    for token in (used, expired, used[::-1], "x", "\x00", "ü" * 1000, "' OR 1=1 --"):
        answer = get(api.sign_in_url(connection.id, token))
        assert (answer.status_code, "Location" in answer.headers) == (403, False)
        pages.add(answer.text)
    assert len(pages) == 1


def test_a40_a_token_reaches_no_other_account(world: World, third: ThirdParty) -> None:
    """Another account's connector is as absent as one that nobody has; the token stays whole."""
    mine, theirs = (Connection(world, third.offer(world)) for _ in range(2))
    token = mine.api.sign_in_token()
    foreign = get(mine.api.sign_in_url(theirs.id, token))
    absent = get(mine.api.sign_in_url(10**9, token))
    assert (foreign.status_code, foreign.text) == (absent.status_code, absent.text)
    assert "Location" not in foreign.headers
    assert get(mine.api.sign_in_url(mine.id, token)).status_code == 302


LOOKS: dict[str, dict[str, str]] = {
    "prefetch": {"Sec-Purpose": "prefetch"},
    "prerender": {"Sec-Purpose": "prefetch;prerender"},
    "old prefetch": {"Purpose": "prefetch"},
    "old Firefox": {"X-Moz": "prefetch"},
    "Safari's preview": {"X-Purpose": "preview"},
    "an image": {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    "a script": {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    "Slack": {"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
    "Facebook": {"User-Agent": "facebookexternalhit/1.1"},
    "Teams": {"User-Agent": "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5"},
}
VISITS: dict[str, dict[str, str]] = {
    "a frame of the host's page": {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    "a browser": {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Purpose": ""},
    "an old browser": {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:60.0) Gecko/20100101 Firefox/60.0"},
}


@pytest.mark.parametrize("headers", LOOKS.values(), ids=LOOKS.keys())
def test_a41_what_only_looks_at_a_link_uses_nothing_up(
    world: World, third: ThirdParty, headers: dict[str, str]
) -> None:
    """Loaded ahead, inside a page, or for a preview: no redirect, no cookie, and the token is still good."""
    connection = Connection(world, third.offer(world))
    url = connection.api.sign_in_url(connection.id)
    for _ in range(2):
        look = get(url, **headers)
        assert look.status_code == 503
        assert not {"Location", "Set-Cookie"} & set(look.headers)
        assert look.headers["Cache-Control"] == "no-store"
    assert get(url, **VISITS["a browser"]).status_code == 302


@pytest.mark.parametrize("headers", VISITS.values(), ids=VISITS.keys())
def test_a41_a_person_gets_on(world: World, third: ThirdParty, headers: dict[str, str]) -> None:
    """Browsers that say what they do, and those too old to."""
    connection = Connection(world, third.offer(world))
    assert get(connection.api.sign_in_url(connection.id), **headers).status_code == 302


def test_a41_head_uses_nothing_up(world: World, third: ThirdParty) -> None:
    """405, naming what is allowed."""
    connection = Connection(world, third.offer(world))
    url = connection.api.sign_in_url(connection.id)
    looked = requests.head(url, timeout=30)
    assert (looked.status_code, looked.headers["Allow"]) == (405, "GET")
    assert get(url).status_code == 302


def test_a41_the_service_can_be_as_cyclr(world: World, third: ThirdParty) -> None:
    """`speculative_fetches = redeem`: any GET uses the token up."""
    connection = Connection(world, third.offer(world))
    path = connection.api.sign_in_url(connection.id).removeprefix(world.partner)
    service = world.partner_service
    settings: Any = service.settings.model_copy(update={"speculative_fetches": "redeem"})
    with serve(lambda _: create_app(settings, service.catalogue)) as url:
        assert get(url + path, **LOOKS["prefetch"]).status_code == 302
        assert get(url + path).status_code == 403


def test_a41_a_refusal_says_nothing_of_the_token(world: World, third: ThirdParty) -> None:
    """A look is answered the same whether the token is good or not: it is not even read."""
    connection = Connection(world, third.offer(world))
    good, bad = connection.api.sign_in_url(connection.id), connection.api.sign_in_url(connection.id, "bad")
    answers = [get(url, **LOOKS["prefetch"]) for url in (good, bad)]
    assert answers[0].status_code == answers[1].status_code
    assert re.sub(r"\s", "", answers[0].text) == answers[1].text == ""
