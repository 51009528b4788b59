"""A sign-in that is passed on to somebody else connects nothing: only the browser that launched completes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import Table, func, select, update
from structlog.testing import capture_logs

from bff.partner.storage.tables import account_connector, completion
from bff.serving.database import open_database
from tests.partner.conftest import client_of
from tests.support.databases import DatabaseUrl
from tests.support.servers import serve
from tests.support.world import HOST, World, build_bff, open_world

pytestmark = pytest.mark.one_database

GRACE = "grace@sandbox.example"


@pytest.fixture(scope="session")
def strict_world(tmp_path_factory: pytest.TempPathFactory, database_url: DatabaseUrl) -> Iterator[World]:
    """A world in which the same browser is required, as it is in production."""
    folder = tmp_path_factory.mktemp("strict")
    with open_world(folder, database_url=database_url, same_browser="required") as world:
        yield world


@pytest.fixture
def world(strict_world: World) -> World:
    """The same, seen from an account that nobody else uses."""
    return replace(strict_world, account="acme-" + secrets.token_hex(4))


class Click:
    """One attempt, launched in a browser of its own."""

    def __init__(self, world: World, connector: str = "sandbox", **more: Any) -> None:
        self.world, self.browser = world, requests.Session()
        self.attempt = world.begin(world.session(), connector, **more)
        launched = world.launch(self.attempt["launch_token"], browser=self.browser)
        assert launched.status_code == 303, launched.text
        self.url = launched.headers["Location"]

    def consent(self, browser: requests.Session | None = None, account: str = "ada@sandbox.example") -> str:
        """The user allows; the callback is followed as far as the BFF. Where it was sent: with the code."""
        browser = browser or self.browser
        answer = self.world.sign_in(self.url, account=account, browser=browser, follow=False)
        back = browser.get(answer.headers["Location"], timeout=10, allow_redirects=False)
        assert back.status_code == 302, back.text
        assert back.headers["Cache-Control"] == "no-store"
        assert back.headers["Referrer-Policy"] == "no-referrer"
        return str(back.headers["Location"])

    def read(self) -> dict[str, Any]:
        """The attempt, as the host's server sees it."""
        return self.world.read(self.attempt["id"])


def rows(world: World, table: Table, column: str) -> int:
    """How many rows of the partner service's table have something in this column."""
    engine = open_database(world.partner_database)
    with engine.connect() as connection:
        found = connection.execute(select(func.count(table.c[column]))).scalar_one()
    engine.dispose()
    return int(found)


def is_authenticated(world: World) -> bool:
    """Whether anything of this account is connected at the partner service."""
    api = client_of(world)
    told = api.call("GET", "/v1.0/account/connectors", account=world.account).json()
    return any(item["Authenticated"] for item in told)


def is_as_before(click: Click) -> None:
    """The attempt is as before, and its own browser can still complete it."""
    assert click.read()["status"] == "launched"


def test_a38_the_browser_that_launched_completes(world: World) -> None:
    """Same browser: the last page is the partner's, posts the message to the page, and it is connected."""
    click = Click(world)
    last = world.sign_in(click.url, browser=click.browser)
    assert last.url.startswith(f"{world.partner}/connectorauth/finished/")
    assert f'data-target="{HOST}"' in last.text
    assert "data-message" in last.text
    hops = [urlsplit(answer.url).path.partition("/att_")[0] for answer in last.history[-3:]]
    assert hops == ["/authorize", "/connector/callback", "/connect/complete"]
    told = click.read()
    assert told["status"] == "connected"
    assert "completed" in [step["step"] for step in told["timeline"]]


@pytest.mark.parametrize(
    "connector", [pytest.param("sandbox", marks=pytest.mark.both_databases), "sandbox-isolated"]
)
def test_a38_a_victim_who_follows_a_passed_on_link_connects_nothing(world: World, connector: str) -> None:
    """The attacker launches, the victim signs in: nothing is connected, and no token was ever obtained."""
    attacker, victim = Click(world, connector), requests.Session()
    exchanged = world.sandbox_calls.tokens(), rows(world, account_connector, "credentials")
    waiting = rows(world, completion, "code_sha256")
    with capture_logs() as logs:
        page = world.sign_in(attacker.url, account=GRACE, browser=victim)
    assert page.status_code == 403
    assert page.url.startswith(f"{world.bff}/connect/complete/")
    assert "begun in another browser" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    told = attacker.read()
    assert (told["status"], told["error"]["code"], told["connection"]) == ("failed", "failed", None)
    assert "completed_elsewhere" in [step["step"] for step in told["timeline"]]
    assert not is_authenticated(world)
    assert (world.sandbox_calls.tokens(), rows(world, account_connector, "credentials")) == exchanged
    assert rows(world, completion, "code_sha256") == waiting
    event = next(line for line in logs if line.get("what") == "completed elsewhere")
    assert event["log_level"] == "warning"
    # Nor can the attacker's own browser take it up afterwards.
    again = attacker.browser.get(page.url, timeout=10)
    assert again.status_code == 410
    assert not is_authenticated(world)


def test_a38_a_victim_who_gets_the_consent_page_connects_nothing(world: World) -> None:
    """The attacker goes as far as the third party and passes that page on: the answer is refused there."""
    attacker, victim = Click(world), requests.Session()
    consent = attacker.browser.get(attacker.url, timeout=10, allow_redirects=False).headers["Location"]
    page = world.sign_in(consent, account=GRACE, browser=victim)
    assert page.status_code == 400
    assert page.url.startswith(f"{world.partner}/connector/callback")
    assert attacker.read()["status"] == "launched"
    assert not is_authenticated(world)


def test_a38_a_message_and_a_target_of_the_attackers_reach_nobody(world: World) -> None:
    """A link that was changed to lead elsewhere is refused whole, and its token is still good."""
    click = Click(world)
    changed = click.url.replace(
        "targetOrigin=https%3A%2F%2Fapp.example", "targetOrigin=https%3A%2F%2Fevil.example"
    )
    assert changed != click.url
    page = requests.get(changed, timeout=10, allow_redirects=False)
    assert (page.status_code, "Location" in page.headers) == (400, False)
    world.sign_in(click.url, browser=click.browser)
    assert click.read()["status"] == "connected"


def test_a38_a_code_is_good_once(world: World) -> None:
    """Brought again after it has been used, by the same browser: a page that says so, and no second grant."""
    click = Click(world)
    to_complete = click.consent()
    assert click.browser.get(to_complete, timeout=10).status_code == 200
    again = click.browser.get(to_complete, timeout=10)
    assert again.status_code == 410
    assert "no longer good" in again.text
    assert requests.Session().get(to_complete, timeout=10).status_code == 403
    assert click.read()["status"] == "connected"


def test_a_sign_in_is_not_completed_after_its_users_session(world: World) -> None:
    """What was allowed at the third party connects nothing, and its code is not used."""
    click = Click(world)
    to_complete = click.consent()
    ended = {"user": {"id": "ada"}, "account": {"id": world.account}}
    assert world.server("POST", "/v1/sessions/end", json=ended).status_code == 200
    refused = click.browser.get(to_complete, timeout=10)
    assert (refused.status_code, "no longer good" in refused.text) == (410, True)
    assert not is_authenticated(world)


def test_a38_a_bff_that_dies_on_the_way_loses_nothing(world: World) -> None:
    """Confirmed, but the browser never got the redirect: the page loaded again goes on and connects."""
    click = Click(world)
    to_complete = click.consent()
    lost = click.browser.get(to_complete, timeout=10, allow_redirects=False)
    assert lost.status_code == 303
    is_as_before(click)
    # What was confirmed is undone by nobody who brings the code later.
    assert requests.get(to_complete, timeout=10).status_code == 403
    is_as_before(click)
    assert click.browser.get(to_complete, timeout=10).status_code == 200
    assert click.read()["status"] == "connected"
    # The redirect that was lost leads nowhere now.
    stale = click.browser.get(lost.headers["Location"], timeout=10)
    assert (stale.status_code, "data-message" in stale.text) == (400, False)


@pytest.mark.both_databases
def test_a38_a_code_ends_after_five_minutes(world: World) -> None:
    """Nobody completed it in time: it is no longer good in any browser."""
    click = Click(world)
    to_complete = click.consent()
    engine, past = open_database(world.partner_database), datetime.now(UTC) - timedelta(seconds=1)
    with engine.begin() as connection:
        connection.execute(update(completion).values(expires_at=past))
    engine.dispose()
    assert click.browser.get(to_complete, timeout=10).status_code == 410
    is_as_before(click)


def _nothing(click: Click) -> requests.Session:
    return requests.Session()


def _of_another_attempt(click: Click) -> requests.Session:
    return Click(click.world).browser


def _renamed(click: Click) -> requests.Session:
    """The secret of another attempt, under the name that this one's has."""
    browser, other = requests.Session(), Click(click.world).browser
    browser.cookies.update(dict(zip(click.browser.cookies.keys(), other.cookies.values(), strict=False)))
    return browser


def _guessed(click: Click) -> requests.Session:
    browser = requests.Session()
    browser.cookies.update(dict.fromkeys(click.browser.cookies.keys(), "ü1"))
    return browser


@pytest.mark.parametrize("stranger", [_nothing, _of_another_attempt, _renamed, _guessed])
def test_a38_a_code_without_its_cookie_is_refused(
    world: World, stranger: Callable[[Click], requests.Session]
) -> None:
    """No cookie, another attempt's, or a forged one: refused, and the code is worth nothing then."""
    click = Click(world)
    to_complete, browser = click.consent(), stranger(click)
    assert browser.get(to_complete, timeout=10).status_code == 403
    assert click.read()["status"] == "failed"
    assert click.browser.get(to_complete, timeout=10).status_code == 410
    assert not is_authenticated(world)


def test_a38_nobody_ends_an_attempt_without_its_code(world: World) -> None:
    """A stranger who knows an attempt's id, but not the code: nothing is changed."""
    click = Click(world)
    to_complete = click.consent()
    for query in ("", "?code=", f"?code={'a' * 43}", "?code=a&code=b", "?code=%00%ff", f"?code={'a' * 999}"):
        address = to_complete.partition("?")[0] + query
        assert requests.get(address, timeout=10).status_code in {400, 403, 410}, query
        assert click.browser.get(address, timeout=10).status_code in {400, 410}, query
        is_as_before(click)
    assert click.browser.get(to_complete, timeout=10).status_code == 200
    assert click.read()["status"] == "connected"


def test_a38_an_unknown_attempt_is_not_found(world: World) -> None:
    """There is a page for it, and no exception."""
    assert requests.get(f"{world.bff}/connect/complete/att_x?code={'a' * 43}", timeout=10).status_code == 404
    unlaunched = world.begin(world.session())["id"]
    found = requests.get(f"{world.bff}/connect/complete/{unlaunched}?code={'a' * 43}", timeout=10)
    assert found.status_code == 404


LOOKS: list[tuple[str, dict[str, str], int]] = [
    ("HEAD", {}, 405),
    ("GET", {"Sec-Purpose": "prefetch"}, 503),
    ("GET", {"Sec-Purpose": "prefetch;prerender"}, 503),
    ("GET", {"Purpose": "prefetch"}, 503),
    ("GET", {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, 403),
    ("GET", {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, 403),
    ("GET", {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403),
]
"""Method, headers, and the status of what is no visit."""


def test_a38_only_a_visit_completes(world: World) -> None:
    """Scanners, prefetches, and pages that embed the URL use nothing up, with the cookie and without."""
    click = Click(world)
    to_complete = click.consent()
    for method, headers, status in LOOKS:
        for browser in (click.browser, requests.Session()):
            answer = browser.request(method, to_complete, headers=headers, timeout=10, allow_redirects=False)
            assert answer.status_code == status, headers
        is_as_before(click)
    visit = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    confirmed = click.browser.get(to_complete, headers=visit, timeout=10, allow_redirects=False)
    for looked in ({"method": "HEAD"}, {"method": "GET", "headers": {"Sec-Purpose": "prefetch"}}):
        answer = click.browser.request(url=confirmed.headers["Location"], timeout=10, **looked)
        assert answer.status_code in {405, 503}
    assert "data-message" in click.browser.get(confirmed.headers["Location"], timeout=10).text
    assert click.read()["status"] == "connected"


def test_a38_return_delivery_comes_back_to_its_own_page(world: World) -> None:
    """Without a message the browser that completed is sent to the return page, and from there home."""
    click = Click(world, delivery="return", return_url=f"{HOST}/tools")
    last = world.sign_in(click.url, browser=click.browser)
    assert last.url.startswith(f"{world.bff}/connect/return/")
    reported = requests.post(last.url, headers={"Origin": world.bff}, timeout=10)
    assert reported.json() == {"status": "connected", "return_url": f"{HOST}/tools"}


def test_a38_another_account_waits_for_its_users_choice(world: World) -> None:
    """A reconnect by the right browser with another account: a mismatch, which may then be accepted."""
    world.connect(world.session())
    click = Click(world)
    page = world.sign_in(click.url, account=GRACE, browser=click.browser)
    assert page.url.startswith(f"{world.partner}/connectorauth/finished/")
    assert page.status_code == 400
    assert click.read()["error"]["code"] == "account_mismatch"
    path = f"/v1/attempts/{click.attempt['id']}/accept"
    accepted = world.page("POST", path, world.session(), json={}).json()
    assert (accepted["status"], accepted["connection"]["external_account"]) == ("connected", GRACE)


def test_a38_two_tabs_of_one_browser_both_complete(world: World) -> None:
    """Each attempt has a cookie of its own, whichever is finished first."""
    first, second = Click(world), Click(world, "sandbox-isolated")
    second.browser.cookies.update(first.browser.cookies)
    for click in (second, first):
        world.sign_in(click.url, browser=second.browser)
    assert [click.read()["status"] for click in (first, second)] == ["connected", "connected"]


def test_a38_a_browser_keeps_no_more_than_eight(world: World) -> None:
    """Of many launches the oldest are forgotten; the newest completes, in a short header of cookies."""
    browser, clicks = requests.Session(), []
    for _ in range(12):
        attempt = world.begin(world.session())
        clicks.append((attempt, world.launch(attempt["launch_token"], browser=browser).headers["Location"]))
    ours = [cookie for cookie in browser.cookies if cookie.name.startswith("hitchpost_launch_")]
    assert len(ours) == 8
    assert sum(len(cookie.name) + len(cookie.value or "") + 3 for cookie in ours) < 1024
    attempt, url = clicks[-1]
    world.sign_in(url, browser=browser)
    assert world.read(attempt["id"])["status"] == "connected"


def test_a38_over_https_the_cookie_can_be_planted_by_nobody(world: World, tmp_path: Path) -> None:
    """`__Host-`, Secure, HttpOnly, Path=/, no Domain, Lax, an hour; 256 random bits, stored as a hash."""
    public = "https://bff.example"

    def build(url: str) -> Any:
        return build_bff(url, tmp_path, world.partner, same_browser="auto", public_url=public)

    with serve(build) as bff:
        behind = replace(world, bff=bff)
        attempt = behind.begin(behind.session())
        answer = behind.launch(attempt["launch_token"], origin=public)
    name, _, rest = answer.headers["Set-Cookie"].partition("=")
    value, *attributes = rest.split("; ")
    assert name.startswith("__Host-hitchpost_launch_")
    assert len(value) >= 43
    assert set(attributes) - {a for a in attributes if a.startswith("Expires=")} == {
        "Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=3600",
    }  # fmt: skip
    assert attempt["id"].removeprefix("att_") not in answer.headers["Set-Cookie"]
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("bff.db*"))
    assert attempt["id"].encode() in stored
    assert value.encode() not in stored


def minted(answer: requests.Response) -> bool:
    """Whether a launch went on to the partner service."""
    return answer.status_code == 303 and "token" in parse_qs(urlsplit(answer.headers["Location"]).query)


@pytest.fixture(scope="module")
def unable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Its partner service ignores the wish, as Cyclr does; its BFF requires it."""
    folder = tmp_path_factory.mktemp("unable")
    with open_world(folder, same_browser="required", complete_elsewhere=False) as world:
        yield world


def test_a38_required_means_no_launch_where_the_partner_cannot(unable: World) -> None:
    """`required` refuses, and says why in the log."""
    attempt = unable.begin(unable.session())
    with capture_logs() as logs:
        answer = unable.launch(attempt["launch_token"])
    assert answer.status_code == 503
    told = unable.read(attempt["id"])
    assert (told["status"], told["error"]["code"]) == ("failed", "partner_unavailable")
    assert any("HITCHPOST_SAME_BROWSER=off" in line.get("advice", "") for line in logs)


def test_a38_auto_goes_on_without_and_says_so_once(unable: World, tmp_path: Path) -> None:
    """Over https with a partner service that cannot: launches go on, and the log says it one time."""
    public = "https://bff.example"
    with serve(lambda url: build_bff(url, tmp_path, unable.partner, public_url=public)) as bff:
        behind = replace(unable, bff=bff)
        with capture_logs() as logs:
            answers = [
                behind.launch(behind.begin(behind.session())["launch_token"], origin=public) for _ in range(3)
            ]
    assert all(minted(answer) for answer in answers)
    assert all("Set-Cookie" not in answer.headers for answer in answers)
    assert len([line for line in logs if line.get("what") == "cannot complete"]) == 1


def test_a38_a_url_for_servers_that_redirect_by_themselves_is_as_ever(world: World) -> None:
    """`POST /v1/sign-in-urls` has no launch, and so nothing to complete."""
    body = {
        "user": {"id": "ada"},
        "account": {"id": world.account},
        "connector": "sandbox",
        "target_origin": HOST,
        "callback_message": "done",
    }
    url = world.server("POST", "/v1/sign-in-urls", json=body).json()["url"]
    assert 'data-message="done"' in world.sign_in(url).text


def test_a38_another_accounts_client_completes_nothing(world: World) -> None:
    """The code of one account, brought in the name of another: no such connector there."""
    click, api = Click(world), client_of(world)
    code = parse_qs(urlsplit(click.consent()).query)["code"][0]
    number = parse_qs(urlsplit(click.url).query)["id"][0]
    for verb in ("complete", "refuse"):
        path = f"/v1.0/account/connectors/{number}/signins/{'0' * 64}/{verb}"
        assert api.call("PUT", path, {"Code": code}).status_code == 404
        assert api.call("PUT", path, {"Code": code}, account=world.account).status_code == 410
        assert requests.put(world.partner + path, json={"Code": code}, timeout=10).status_code == 401
    is_as_before(click)
