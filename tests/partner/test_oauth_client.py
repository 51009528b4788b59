"""The embedded service as an OAuth client: what is sent, what is bound to what, and what is believed."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Response
from sqlalchemy import select, update

from bff.partner import clock
from bff.partner.app import create_app
from bff.partner.crypto import sha256
from bff.partner.providers import transport
from bff.partner.providers.catalogue import Catalogue, CatalogueConnector
from bff.partner.resources import ASSETS
from bff.partner.sign_in import flow_cookies
from bff.partner.storage import tables
from bff.serving.destinations import Policy
from tests.support.raw_server import FAULTS, Play, play
from tests.support.third_party import Connection, ThirdParty, open_third_party, tokens
from tests.support.world import World

pytestmark = pytest.mark.one_database


def asked_of(answer: requests.Response) -> dict[str, str]:
    """The parameters of the redirect to the third party."""
    query = parse_qs(urlsplit(answer.headers["Location"]).query, keep_blank_values=True)
    assert all(len(values) == 1 for values in query.values())
    return {name: values[0] for name, values in query.items()}


def flow_of(world: World, state: str) -> Any:
    """What is stored of a flow."""
    with world.partner_service.database.reading() as connection:
        return connection.execute(
            select(tables.flow).where(tables.flow.c.state_sha256 == sha256(state))
        ).one()


def test_a33_every_flow_is_a_code_flow_with_a_verifier_of_its_own(world: World, third: ThirdParty) -> None:
    """S256 of a fresh verifier goes out; the verifier is sealed, in no cookie, and comes with the code."""
    connection = Connection(world, third.offer(world))
    seen = []
    for _ in range(2):
        started = connection.start()
        asked = asked_of(started)
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        stored = flow_of(world, asked["state"]).verifier
        connection.answer(asked["state"], code="c")
        verifier = third.forms("token")[-1]["code_verifier"]
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
        assert digest.decode() == asked["code_challenge"]
        assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier)
        assert verifier not in stored + started.headers["Set-Cookie"] + started.headers["Location"]
        seen.append(verifier)
    assert seen[0] != seen[1]


def test_a34_a_state_is_long_unlike_any_other_and_stored_as_its_hash(world: World, third: ThirdParty) -> None:
    """256 random bits that say nothing of account or user; at most ten minutes."""
    connection = Connection(world, third.offer(world))
    states = {connection.begin() for _ in range(5)}
    assert len(states) == 5
    for state in states:
        assert len(base64.urlsafe_b64decode(state + "=")) == 32
        row = flow_of(world, state)
        assert row.expires_at <= clock.now() + timedelta(minutes=10)
        assert state not in str(row)


def test_a34_a_state_is_used_up_before_the_code_is_exchanged(world: World, third: ThirdParty) -> None:
    """An answer that comes again while the first is being exchanged finds nothing."""
    connection, again = Connection(world, third.offer(world)), []

    def exchange(_: dict[str, str]) -> dict[str, Any]:
        again.append(connection.answer(state, cookies, code="c").status_code)
        return tokens()

    third.says["token"] = exchange
    state = connection.begin()
    cookies = requests.Session()
    cookies.cookies.update(connection.browser.cookies)
    assert connection.answer(state, code="c").status_code == 200
    assert again == [400]
    assert len(third.forms("token")) == 1


@pytest.mark.parametrize("first", [{"error": "access_denied"}, {"error": "server_error"}, {}])
def test_a34_an_error_uses_a_state_up_as_well(world: World, third: ThirdParty, first: dict[str, str]) -> None:
    """After a denial, or an answer with neither code nor error, a code comes too late."""
    connection = Connection(world, third.offer(world))
    state = connection.begin()
    assert connection.answer(state, **first).status_code == 400
    assert connection.answer(state, code="c").status_code == 400
    assert third.asked == []


def test_a34_a_late_foreign_or_absent_state_is_refused(world: World, third: ThirdParty) -> None:
    """And the third party is not asked."""
    connection = Connection(world, third.offer(world))
    late = connection.begin()
    with world.partner_service.database.writing() as database:
        ours = update(tables.flow).where(tables.flow.c.state_sha256 == sha256(late))
        database.execute(ours.values(expires_at=clock.now()))
    for state in (late, "", "x" * 43, sha256(late), "ada"):
        assert connection.answer(state, code="c").status_code == 400
    assert third.asked == []


def test_a35_a_state_belongs_to_the_browser_that_began(world: World, third: ThirdParty) -> None:
    """Without the cookie, with another flow's, or with one made from the state, nothing happens.

    CVE-2025-68158, CVE-2025-68481, CVE-2026-41425; Nango's cookie ``flow-<state>=1``.
    """
    connection, other = Connection(world, third.offer(world)), requests.Session()
    state = connection.begin()
    name = flow_cookies.COOKIE + sha256(state)[:16]
    value = connection.browser.cookies[name]
    assert len(base64.urlsafe_b64decode(value.partition(".")[2] + "=")) == 32
    begun = Connection(world, connection.item, other)
    foreign = begun.browser.cookies.get(flow_cookies.COOKIE + sha256(begun.begin())[:16])
    forged = ["", "1", state, sha256(state), sha256(state)[:16], value[:-1], foreign]
    for guess in [None, *forged]:
        browser = requests.Session()
        if guess is not None:
            browser.cookies.set(name, guess)
        assert connection.answer(state, browser, code="c").status_code == 400
    assert third.asked == []
    assert connection.answer(state, code="c").status_code == 200


def test_a36_an_honest_third_partys_code_never_goes_to_a_hostile_one(world: World, third: ThirdParty) -> None:
    """COAT: a hostile connector sends the browser on to an honest third party, with its own flow's state."""
    issuer = f"https://honest-{world.account}.example"
    third.offer(world, issuer=issuer)
    with open_third_party() as evil:
        hostile = Connection(world, evil.offer(world))
        page = hostile.answer(hostile.begin(), code="an-honest-code", iss=issuer)
        assert page.status_code == 400
        assert evil.asked == []
    assert third.asked == []
    assert hostile.last_sign_in()["Error"] == "wrong_issuer"


@pytest.mark.parametrize("other", ["token_url", "authorize_url"])
def test_an_issuer_of_one_entry_is_no_strangers_for_entries_with_the_same_endpoint(
    world: World, third: ThirdParty, other: str
) -> None:
    """Two products of one provider: only one entry has its issuer, which a third one of it repeats."""
    issuer = f"https://one-{world.account}.example"
    third.offer(world, issuer=issuer, **{other: f"{third.url}/other"})
    third.offer(world, issuer=issuer, authorize_url=f"{third.url}/older", token_url=f"{third.url}/oldest")
    sibling = Connection(world, third.offer(world))
    assert sibling.answer(sibling.begin(), code="c", iss=issuer).status_code == 200


def test_an_issuer_is_a_strangers_for_a_host_that_an_account_typed(world: World, third: ThirdParty) -> None:
    """The same URL with a placeholder for the host says nothing of whose the endpoint is."""
    issuer, port = f"https://honest-{world.account}.example", urlsplit(third.url).port
    urls = {
        name: f"http://{{region}}.localhost:{port}/{name[:-4]}" for name in ("authorize_url", "token_url")
    }
    field = [{"name": "region", "label": "Region"}]
    third.offer(world, issuer=issuer, field=field, **urls)
    typed = Connection(world, third.offer(world, field=field, **urls))
    typed.api.call("POST", f"{typed.path}/properties", {"Name": "region", "Value": "evil"})
    assert typed.answer(typed.begin(), code="c", iss=issuer).status_code == 400
    assert third.asked == []


def test_a36_an_answer_of_another_connector_is_refused(world: World, third: ThirdParty) -> None:
    """State, cookie and issuer are of one connector: no two of them carry over (GHSA-x445-f3h2-j279)."""
    with open_third_party() as second:
        one = Connection(world, third.offer(world, issuer="https://one.example"))
        two = Connection(world, second.offer(world, issuer="https://two.example"), one.browser)
        first, other = one.begin(), two.begin()
        stolen = requests.Session()
        stolen.cookies.set(
            flow_cookies.COOKIE + sha256(other)[:16],
            one.browser.cookies[flow_cookies.COOKIE + sha256(first)[:16]],
        )
        assert two.answer(other, stolen, code="c", iss="https://two.example").status_code == 400
        assert two.answer(other, code="c", iss="https://one.example").status_code == 400
        assert one.answer(first, code="c", iss="https://two.example").status_code == 400
        assert (third.asked, second.asked) == ([], [])


def test_a36_a_code_goes_to_the_token_endpoint_of_its_own_connector(world: World, third: ThirdParty) -> None:
    """Two connectors at once in one browser: each code arrives where its flow began."""
    with open_third_party() as second:
        one, browser = Connection(world, third.offer(world)), requests.Session()
        two = Connection(world, second.offer(world), browser)
        one.browser = browser
        states = one.begin(), two.begin()
        two.answer(states[1], code="for-two")
        one.answer(states[0], code="for-one")
        assert [form["code"] for form in third.forms("token")] == ["for-one"]
        assert [form["code"] for form in second.forms("token")] == ["for-two"]


@pytest.mark.parametrize(
    "given",
    [
        [],
        [""],
        ["https://as.example/"],
        ["https://AS.example"],
        ["https://evil.example"],
        ["https://as.example", "https://evil.example"],
        ["https://evil.example", "https://as.example"],
    ],
)
def test_a37_an_answer_comes_from_the_configured_issuer(
    world: World, third: ThirdParty, given: list[str]
) -> None:
    """`iss` is there, once, and equals the configured one letter for letter, in errors too (RFC 9207)."""
    connection = Connection(world, third.offer(world, issuer="https://as.example"))
    for values in ({"code": "c"}, {"error": "access_denied"}):
        assert connection.answer(connection.begin(), iss=given, **values).status_code == 400
        assert connection.last_sign_in()["Error"] == "wrong_issuer"
    assert third.asked == []
    assert connection.answer(connection.begin(), iss="https://as.example", code="c").status_code == 200


def test_a39_five_tabs_of_one_browser_all_finish(world: World, third: ThirdParty) -> None:
    """Each flow has a cookie of its own: whichever comes back first, none disturbs another."""
    browser, item = requests.Session(), third.offer(world)
    tabs = [Connection(world, item, browser) for _ in range(5)]
    states = [tab.begin() for tab in tabs]

    def answer(number: int) -> int:
        own = requests.Session()
        own.cookies.update(browser.cookies)
        return tabs[number].answer(states[number], own, code="c").status_code

    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(answer, reversed(range(5)))) == [200] * 5
    assert all(tab.told()["Authenticated"] for tab in tabs)


def test_a39_cookies_of_flows_stay_few(world: World, third: ThirdParty) -> None:
    """After 40 starts the browser has ten of them, far below 4 KB, for ten minutes; the last five finish."""
    connection = Connection(world, third.offer(world))
    states = [connection.begin() for _ in range(40)]
    started = connection.start()
    assert "Max-Age=600" in started.headers["Set-Cookie"]
    sent = requests.Request("GET", f"{world.partner}/", cookies=connection.browser.cookies).prepare()
    assert sent.headers["Cookie"].count(flow_cookies.COOKIE) == flow_cookies.MOST_COOKIES
    assert len(sent.headers["Cookie"]) < 4096
    for state in states[-5:]:
        assert connection.answer(state, code="c").status_code == 200
    assert len(third.forms("token")) == 5


SECURE = "https://partner.example"


def secure_client(world: World, **switches: Any) -> Any:
    """A client of the same service, on https."""
    item = CatalogueConnector(
        id=1,
        key="secure",
        name="Secure",
        authorize_url="https://third.example/authorize",
        token_url="https://third.example/token",
        client_id="hitchpost",
        client_secret="secret",
    )
    changed = {"public_url": SECURE, **switches}
    settings = world.partner_service.settings.model_copy(update=changed)
    return create_app(settings, Catalogue([item])).test_client()


def test_a39_on_https_the_cookie_belongs_to_this_host_alone(world: World) -> None:
    """`__Host-`, with all that browsers ask for it, also where it is removed."""
    client, api = secure_client(world), Connection(world, world.partner_service.catalogue.connectors[0]).api
    headers = {
        "Authorization": f"Bearer {api.token}",
        "X-Cyclr-Account": api.account.encode().decode("latin-1"),
    }
    installed = client.post("/v1.0/connectors/1/install", base_url=SECURE, headers=headers).json["Id"]
    set_cookies: list[str] = []
    for _ in range(flow_cookies.MOST_COOKIES + 1):
        path = api.sign_in_url(installed).removeprefix(api.url)
        set_cookies = client.get(path, base_url=SECURE).headers.getlist("Set-Cookie")
    assert len(set_cookies) == 2
    for cookie in set_cookies:
        name, *attributes = cookie.split("; ")
        assert name.startswith("__Host-hitchpost_flow_")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(attributes)
        assert not any(attribute.startswith("Domain") for attribute in attributes)


@pytest.mark.parametrize("values", [{"code": "c"}, {"error": "<img src=x onerror=alert(1)>"}, {}])
def test_a42_last_pages_load_nothing_foreign_and_show_text_as_text(
    world: World, third: ThirdParty, values: dict[str, str]
) -> None:
    """No script but ours, by its hash; no Referer, no frame around them; still an opener (CVE-2021-32702)."""
    connection = Connection(world, third.offer(world))
    page = connection.answer(connection.begin(), **values)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    [script] = re.findall(r"<script[^>]*>(.*?)</script>", page.text, re.DOTALL)
    assert script in {(ASSETS / name).read_text(encoding="utf-8") for name in ("finished.js", "trouble.js")}
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert [part for part in policy.split("; ") if "script" in part] == [f"script-src 'sha256-{digest}'"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert "Cross-Origin-Opener-Policy" not in page.headers
    assert all(
        url.startswith(("/assets/", "data:,")) for url in re.findall(r'(?:src|href)="([^"]*)"', page.text)
    )
    assert "<img" not in page.text


BAD: dict[str, Callable[[dict[str, str]], Any]] = {
    "a page": lambda _: Response("<!doctype html><p>access_token=a", content_type="text/html"),
    "a part": lambda _: Response('{"access_token": "a"}', 206, content_type="application/json"),
    "no JSON": lambda _: Response("{", content_type="application/json"),
    "deep": lambda _: Response("[" * 50_000, content_type="application/json"),
    "a list": lambda _: [tokens()],
    "too large": lambda _: tokens(padding="x" * transport.MAX_BYTES),
    "another type": lambda _: tokens(token_type="mac"),
    "a type that is none": lambda _: tokens(token_type=["Bearer"]),
    "no token": lambda _: tokens(access_token=""),
    "a number": lambda _: tokens(access_token=7),
    "redirected": lambda _: Response(status=307, headers={"Location": "/elsewhere"}),
}


@pytest.mark.parametrize("say", BAD.values(), ids=BAD.keys())
def test_a44_anything_else_is_no_token(
    world: World, third: ThirdParty, say: Callable[[dict[str, str]], Any]
) -> None:
    """At most 64 KB, whole, with a token that any bearer may use: or the sign-in has failed."""
    third.says["token"] = say
    connection = Connection(world, third.offer(world))
    assert connection.answer(connection.begin(), code="c").status_code == 400
    told = connection.told()
    assert (told["Authenticated"], told["Hitchpost"]["LastSignIn"]["Result"]) == (False, "failed")
    assert [name for name, _ in third.asked] == ["token"]


def test_a44_a_smaller_scope_than_asked_for_is_recorded(world: World, third: ThirdParty) -> None:
    """What was granted is told beside the connection; None where the third party did not say."""
    item = third.offer(world, scopes=["read", "write"])
    third.says["token"] = lambda _: tokens(scope="read")
    connection = Connection(world, item).connect()
    assert connection.told()["Hitchpost"]["Scopes"] == ["read"]
    third.says["token"] = lambda _: tokens()
    assert Connection(world, item).connect().told()["Hitchpost"]["Scopes"] is None


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a44_a_third_party_that_misbehaves_is_cut_off(fault: Play) -> None:
    """Dripping headers or bodies, silence, too much: the call ends as a whole in its time."""
    limits = transport.Limits(connect=1.0, read=0.2, total=0.3)
    with play(fault) as (url, _):
        assert _outcome(f"{url}/x", limits) in {302, 500, "third_party_too_slow", *BROKEN}


BROKEN = {"third_party_unreachable", "third_party_answer_too_large"}


def _outcome(url: str, limits: transport.Limits) -> int | str:
    try:
        return transport.send(Policy(loopback=True), "GET", url, headers={}, limits=limits).status
    except transport.NoReply as error:
        return error.code
