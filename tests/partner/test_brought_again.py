"""An answer that a browser brings once more, or too late: the sign-in ends as it would, and all are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests
from sqlalchemy import update

from bff.partner import clock
from bff.partner.crypto import sha256
from bff.partner.purge import purge
from bff.partner.storage import tables
from tests.partner.conftest import api_token
from tests.support.third_party import Connection, ThirdParty, refused, tokens
from tests.support.world import World

pytestmark = pytest.mark.one_database

TARGET = "https://app.example"


def begin(connection: Connection, **values: str) -> str:
    """The state of a flow; without a ``callbackMessage`` it comes back to the target."""
    url = connection.api.sign_in_url(connection.id, **values)
    started = connection.browser.get(url, timeout=30, allow_redirects=False)
    return parse_qs(urlsplit(started.headers["Location"]).query)["state"][0]


def last(connection: Connection) -> tuple[str, str | None]:
    """What became of the newest sign-in."""
    told = connection.last_sign_in()
    return told["Result"], told["Error"]


def copy_of(browser: requests.Session) -> requests.Session:
    """The same browser at this moment."""
    same = requests.Session()
    same.cookies.update(browser.cookies)
    return same


@pytest.mark.parametrize("values", [{"callbackMessage": "done"}, {}], ids=["message", "return"])
def test_a_reload_of_a_slow_callback_waits_for_its_end(
    world: World, third: ThirdParty, values: dict[str, str]
) -> None:
    """The page looks again by itself; the third party is asked once; in the end there is a way on."""
    connection, seen = Connection(world, third.offer(world)), list[requests.Response]()
    state = begin(connection, **values)
    browser = copy_of(connection.browser)

    def exchange(_: dict[str, str]) -> dict[str, Any]:
        seen.append(connection.answer(state, copy_of(browser), code="c"))
        return tokens()

    third.says["token"] = exchange
    url = f"{world.partner}/connector/callback"
    # The browser has left before this answer came: it got no cookie with it.
    requests.get(
        url,
        params={"state": state, "code": "c"},
        cookies=browser.cookies,
        timeout=30,
        allow_redirects=False,
    )
    (waiting,) = seen
    assert waiting.headers["Refresh"] == "2"
    assert "goes on by itself" in waiting.text
    after = connection.answer(state, browser, code="c")
    assert (last(connection), len(third.forms("token"))) == (("connected", None), 1)
    if values:
        assert f'data-target="{TARGET}"' in after.text
    else:
        assert f'href="{TARGET}"' in after.text
        assert after.headers["Refresh"] == f"2; url={TARGET}"


def test_an_answer_that_comes_again_after_the_end_goes_back(world: World, third: ThirdParty) -> None:
    """By the browser that began it alone: another one that knows the address is shown no way back."""
    connection = Connection(world, third.offer(world))
    state = begin(connection)
    connection.browser.get(
        f"{world.partner}/connector/callback",
        params={"state": state, "code": "c"},
        timeout=30,
        allow_redirects=False,
    )
    assert f'href="{TARGET}"' in connection.answer(state, code="c").text
    assert TARGET not in connection.answer(state, requests.Session(), code="c").text


def test_what_is_kept_for_coming_again_stays_little(world: World, third: ThirdParty) -> None:
    """After 40 whole sign-ins the cookies fit into a header that every server takes."""
    connection = Connection(world, third.offer(world))
    for _ in range(40):
        connection.connect()
    sent = requests.Request("GET", f"{world.partner}/", cookies=connection.browser.cookies).prepare()
    assert len(sent.headers["Cookie"]) < 2048


def test_blocked_cookies_are_told_to_the_page_that_waits(world: World, third: ThirdParty) -> None:
    """In words to the person, by a message to the opener; the right browser may still come."""
    connection = Connection(world, third.offer(world))
    state = connection.begin()
    page = connection.answer(state, requests.Session(), code="c")
    assert (page.status_code, f'data-target="{TARGET}"' in page.text) == (400, True)
    assert "cookies are blocked" in page.text
    assert last(connection) == ("started", None)
    assert connection.answer(state, code="c").status_code == 200


def late(world: World, state: str) -> None:
    """Let the time of a flow be over."""
    table = tables.flow
    ours = update(table).where(table.c.state_sha256 == sha256(state))
    with world.partner_service.database.writing() as connection:
        connection.execute(ours.values(expires_at=clock.now() - timedelta(seconds=1)))


@pytest.mark.both_databases
def test_an_answer_that_comes_too_late_is_a_failure(world: World, third: ThirdParty) -> None:
    """Eleven minutes at the consent page: recorded at once, and told to the page that waits."""
    connection = Connection(world, third.offer(world))
    state = connection.begin()
    late(world, state)
    page = connection.answer(state, code="c")
    assert f'data-target="{TARGET}"' in page.text
    assert last(connection) == ("failed", "flow_expired")
    assert third.asked == []


def test_a_user_who_never_comes_back_in_time_is_a_failure(world: World, third: ThirdParty) -> None:
    """Also when nobody brings an answer: it is recorded as the flow is forgotten."""
    connection = Connection(world, third.offer(world))
    late(world, connection.begin())
    purge(world.partner_service.database, clock.now(), 10_000)
    assert last(connection) == ("failed", "flow_expired")


def test_a_flow_that_ended_stays_what_it_became(world: World, third: ThirdParty) -> None:
    """Its time is over later, and changes nothing."""
    connection = Connection(world, third.offer(world))
    state = connection.begin()
    connection.answer(state, code="c")
    late(world, state)
    purge(world.partner_service.database, clock.now(), 10_000)
    assert last(connection) == ("connected", None)


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("path", ["/connector/callback", "/connector/nothing", "/connectorauth/nothing"])
def test_nobody_reads_json_where_browsers_are(world: World, method: str, path: str) -> None:
    """Whatever is wrong there: a page in words."""
    page = requests.request(method, world.partner + path, timeout=30)
    assert page.status_code in {400, 404, 405}
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<h1>" in page.text


def test_an_error_that_nobody_foresaw_is_an_end(world: World, third: ThirdParty) -> None:
    """A page in words, and a failure that the page that waits is told of."""
    connection = Connection(world, third.offer(world))
    state = connection.begin()
    provider = world.partner_service.provider
    original = provider.exchange_code
    object.__setattr__(provider, "exchange_code", None)
    try:
        page = connection.answer(state, code="c")
    finally:
        object.__setattr__(provider, "exchange_code", original)
    assert page.headers["Content-Type"].startswith("text/html")
    assert f'data-target="{TARGET}"' in page.text
    assert last(connection) == ("failed", "internal_error")


def test_the_wrong_issuer_is_told_to_the_page_that_waits(world: World, third: ThirdParty) -> None:
    """As every ending is of which is known whom it concerns."""
    connection = Connection(world, third.offer(world, issuer="https://as.example"))
    page = connection.answer(connection.begin(), code="c", iss="https://evil.example")
    assert f'data-target="{TARGET}"' in page.text
    third.says["token"] = lambda _: refused("invalid_grant")
    page = connection.answer(connection.begin(), code="c", iss="https://as.example")
    assert f'data-target="{TARGET}"' in page.text


def test_a_restricted_token_says_nothing_of_parents(world: World, third: ThirdParty) -> None:
    """Whoever is an account's parent may read it: only the partner's own token says who that is."""
    api = Connection(world, third.offer(world)).api
    victim = Connection(world, third.offer(world)).api
    restricted = api_token(api.url, scope=f"account:{api.account}").json()["access_token"]
    path = f"/v1.0/accounts/{quote(api.account, safe='')}"
    for parent in (victim.account, api.account, "nobody"):
        answer = api.call("PUT", path, {"ParentAccountId": parent}, account=None, token=restricted)
        assert answer.status_code == 401
    assert api.call("PUT", path, {"Description": "d"}, account=None, token=restricted).status_code == 200
    assert api.call("GET", path, account=None).json()["ParentAccountId"] is None
    assert api.call("PUT", path, {"ParentAccountId": "p"}, account=None).json()["ParentAccountId"] == "p"


def test_a_restricted_token_ends_with_its_account(world: World, third: ThirdParty) -> None:
    """It does not make the account anew, nor reach one that is made later by the same id."""
    api = Connection(world, third.offer(world)).api
    restricted = api_token(api.url, scope=f"account:{api.account}").json()["access_token"]
    path = f"/v1.0/accounts/{quote(api.account, safe='')}"
    assert api.call("GET", path, account=None, token=restricted).status_code == 200
    assert api.call("DELETE", path, account=None).status_code == 200
    minted = api.call("POST", f"{path}/signintoken", {"Username": "ada"}, account=None, token=restricted)
    assert minted.status_code == 401
    assert api.call("GET", path, account=None).status_code == 404
    api.call("POST", "/v1.0/accounts", {"Id": api.account, "Name": "Anew"}, account=None)
    assert api.call("GET", path, account=None, token=restricted).status_code == 401
