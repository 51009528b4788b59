"""What a foreign page can make a browser do here: nothing (A3 to A7). Routes are walked, not listed.

But for the press (tests/web/test_press_guards.py): it takes a form and rests on no cookie and no session.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy import Engine, select

from bff.storage.tables import metadata
from bff.web.kit.guards import MOST_FORM
from bff.web.kit.services import EXTENSION
from tests.support.mounted import Mounted
from tests.support.routes import routes
from tests.support.studio import StudioWorld
from tests.support.world import HOST, SECRET_KEY, World

pytestmark = pytest.mark.one_database

EVIL = "https://evil.example"
ELSEWHERE: list[dict[str, str]] = [
    {},
    {"Origin": "null"},
    {"Origin": EVIL},
    {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"},
    {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Referer": EVIL + "/"},
]
"""What the requests say that a page elsewhere can cause; the first says nothing at all."""

HOSTILE = {
    "nothing": b"",
    "broken": b"{",
    "null": b"null",
    "list": b"[]",
    "text": b'"x"',
    "number": b"1",
    "endless number": b"1e999",
    "extra field": b'{"surprise": 1}',
    "wrong type": b'{"user": 7, "connector": 7, "product": 7}',
    "bad UTF-8": b'{"user": "\xff"}',
    "surrogate": b'{"user": {"id": "\\ud800"}, "connector": "\\ud800", "product": "\\ud800"}',
    "deep": b'{"user":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "not a number": b'{"user": NaN}',
}


PRESS = "/v1/press"
"""It takes a form, so that no preflight delays it; a launch token and the Origin speak for it."""


def stored(engine: Engine) -> dict[str, list[Any]]:
    """Every row of every table, but for counts, the BFF's own bearer and its copy of the catalogue."""
    with engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table)).all()))
            for table in metadata.sorted_tables
            if table.name not in {"rate_limits", "upstream_tokens", "catalogue_entries"}
        }


def calls(app: Flask, below: str) -> list[tuple[str, str]]:
    """Every route of the API, by method."""
    return [(method, path) for method in ("GET", "POST") for path in routes(app, method, below)]


def test_a3_a_call_by_cookie_needs_the_custom_header(mounted: Mounted) -> None:
    """Each API route refuses a call that lacks it, or has another value, though all the rest is right."""
    own = {"Origin": mounted.url, "Sec-Fetch-Site": "same-origin"}
    found = calls(mounted.app, "/hitchpost/v1/")
    assert {("GET", "/hitchpost/v1/config"), ("POST", "/hitchpost/v1/attempts")} <= set(found)
    for method, path in found:
        for header in ({}, {"X-Hitchpost": "0"}, {"X-Hitchpost": "1,1"}, {"X_Hitchpost": "1"}):
            answer = mounted.call(method, path, own | header, {"connector": "sandbox"})
            assert answer.status_code in {401, 422}, (method, path, header)
    whole = own | {"X-Hitchpost": "1"}
    assert mounted.call("POST", "/hitchpost/v1/attempts", whole, {"connector": "sandbox"}).status_code == 201


def test_a3_without_cookie_the_authorization_is_the_header(world: World) -> None:
    """No API route answers a call that has neither: no foreign page can send one without being asked."""
    for method, path in calls(world.bff_app, "/v1/"):
        answer = requests.request(
            method, world.bff + path, headers={"Origin": HOST, "X-Hitchpost": "1"}, json={}, timeout=20
        )
        assert answer.status_code in {401, 422}, (method, path)


def test_a4_no_change_comes_from_elsewhere(mounted: Mounted) -> None:
    """A POST with a cookie is refused wherever its Origin is missing or is not the product's own."""
    before = stored(mounted.app.extensions[EXTENSION].attempts.store._engine)
    found = routes(mounted.app, "POST", "/hitchpost/")
    assert {"/hitchpost/connect/launch", "/hitchpost/studio/save"} <= set(found)
    for path in found:
        for headers in ELSEWHERE:
            answer = mounted.call("POST", path, headers | {"X-Hitchpost": "1"}, {"connector": "sandbox"})
            assert answer.status_code >= 400, (path, headers)
            if path.startswith(("/hitchpost/v1/attempts", "/hitchpost/studio/", "/hitchpost/connect/return")):
                assert answer.status_code == 403, (path, headers)
    assert stored(mounted.app.extensions[EXTENSION].attempts.store._engine) == before


def test_a4_another_site_that_is_listed_may_call(world: World) -> None:
    """`Sec-Fetch-Site: cross-site` is how a registered page looks; one that is not listed is refused."""
    token = world.session()
    cross = {"Sec-Fetch-Site": "cross-site"}
    for origin, status in ((HOST, 201), (EVIL, 403), (None, 403)):
        answer = world.page(
            "POST", "/v1/attempts", token, origin=origin, headers=cross, json={"connector": "sandbox"}
        )
        assert answer.status_code == status


def authorized(world: World, path: str) -> dict[str, str]:
    """Headers with which a route takes a sound body."""
    by_server = ("/v1/sessions", "/v1/sign-in", "/v1/connections")
    key = SECRET_KEY if path.startswith(by_server) else world.session()
    return {"Authorization": f"Bearer {key}", "Origin": HOST, "X-Hitchpost": "1"}


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "text/plain; application/json",
    ],
)
def test_a5_only_json_is_a_body(world: World, kind: str | None) -> None:
    """Whatever a page can send without being asked first is no body here: 415, on every route."""
    found = routes(world.bff_app, "POST", "/v1/")
    for path in [path for path in found if path != PRESS]:
        headers: dict[str, Any] = authorized(world, path) | {"Content-Type": kind}
        for body in (b'{"connector": "sandbox"}', b"connector=sandbox"):
            answer = requests.post(world.bff + path, data=body, headers=headers, timeout=20)
            assert answer.status_code == 415, (path, kind)
            assert answer.json()["code"] == "unsupported_media_type"


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_a5_a_hostile_body_is_refused(world: World, body: bytes) -> None:
    """On every route it is answered 400 or 422, as a problem document; 413 where so long a body is none."""
    for path in routes(world.bff_app, "POST", "/v1/"):
        headers = authorized(world, path) | {"Content-Type": "application/json"}
        answer = requests.post(world.bff + path, data=body, headers=headers, timeout=20)
        refused = {413} if path == PRESS and len(body) > MOST_FORM else {400, 422}
        assert answer.status_code in refused, (path, answer.status_code)
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_a6_looking_changes_nothing(studio: StudioWorld) -> None:
    """Every GET and HEAD, by nobody, a page, a host's server and an editor, leaves every row as it was."""
    world, editor, link = studio.world, studio.editor(), studio.link()
    token = world.session()
    attempt = world.begin(token, delivery="return", return_url=HOST + "/")
    named = {"attempt_id": attempt["id"], "token": link.rpartition("/")[2]}
    before = stored(studio.engine)
    paths = routes(world.bff_app, "GET", "/", named)
    assert {"/connect/opening", "/v1/config", "/studio/messages", f"/v1/attempts/{attempt['id']}"} <= set(
        paths
    )
    callers: list[dict[str, str]] = [
        {},
        {"Sec-Purpose": "prefetch;prerender", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        {"Authorization": f"Bearer {token}", "Origin": HOST},
        {"Authorization": f"Bearer {SECRET_KEY}"},
    ]
    for path in paths:
        for headers in callers:
            requests.get(world.bff + path, headers=headers, timeout=20)
        # A HEAD is a GET without its body: whoever may most asks so too.
        requests.head(world.bff + path, headers=callers[-2], timeout=20)
        for method in ("GET", "HEAD"):
            editor.browser.request(method, world.bff + path, timeout=20)
    assert stored(studio.engine) == before


def test_a6_nothing_that_acts_is_a_get(world: World) -> None:
    """A launch, a cancelling, an exchange, a publishing: none of them answers GET or HEAD."""
    acts = re.compile(r"/(launch|cancel|accept|end|exchange|publish|restore|sign-out|save)$")
    rules = [rule for rule in world.bff_app.url_map.iter_rules() if acts.search(rule.rule)]
    # Going back asks first, on a page that changes nothing.
    acting = [rule for rule in rules if rule.methods and "POST" in rule.methods]
    assert len(acting) == 9
    for rule in acting:
        assert not {"GET", "HEAD"} & (rule.methods or set()), rule.rule
    for method in ("GET", "HEAD"):
        assert requests.request(method, world.bff + "/connect/launch", timeout=20).status_code == 405


def test_a7_the_api_says_no_and_leads_nowhere(world: World) -> None:
    """401 and 403 are problem documents, also for who asks for HTML; never a redirect."""
    wants_html = {"Accept": "text/html", "Origin": HOST, "X-Hitchpost": "1"}
    body = {"product": "demo", "assertion": "x.y.z"}
    for method, path in calls(world.bff_app, "/v1/"):
        answer = requests.request(
            method, world.bff + path, headers=wants_html, json=body, timeout=20, allow_redirects=False
        )
        if path == PRESS:
            is_refusal(answer, 422, "invalid_request")
            continue
        is_refusal(answer, 401, "not_signed_in")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    for path in routes(world.bff_app, "POST", "/v1/attempts"):
        answer = world.page("POST", path, world.session(), origin=EVIL, json={}, allow_redirects=False)
        is_refusal(answer, 403, "origin_not_allowed")


def is_refusal(answer: requests.Response, status: int, code: str) -> None:
    """A problem document of this status and code."""
    assert answer.status_code == status, answer.url
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert "Location" not in answer.headers
