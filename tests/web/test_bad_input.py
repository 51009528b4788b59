"""Bad input gets a clear answer: a problem document with a stable code, nothing half-done, never a 500."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bff.identity.principal import AccountRef, Principal, User
from bff.web.kit.services import EXTENSION
from tests.support.world import HOST, OTHER_SECRET_KEY, SECRET_KEY, World

DEEP = '{"user":' + "[" * 30000 + "]" * 30000 + "}"
HOSTILE = {
    "empty": b"",
    "null": b"null",
    "list": b"[]",
    "number": b"1",
    "text": b'"x"',
    "no JSON": b"{",
    "deep": DEEP.encode(),
    "bad UTF-8": b'{"user":"\xff"}',
    "not a number": b'{"user":NaN}',
    "surrogate": b'{"user":{"id":"\\ud800"},"account":{"id":"a"}}',
}


def problem(answer: requests.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer, which must have this status and code."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["code"] == code
    assert document["status"] == status
    assert document["type"].endswith("#" + code)
    assert document["title"]
    assert document["detail"]
    return document


@pytest.mark.parametrize("path", ["/v1/sessions", "/v1/sign-in-urls"])
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bodies_of_a_server_are_refused(world: World, path: str, body: bytes) -> None:
    """A body that is no object of the right shape is refused as 400 or 422."""
    answer = world.server("POST", path, data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bodies_of_a_page_are_refused(world: World, body: bytes) -> None:
    """The same for a page that is signed in."""
    answer = world.page(
        "POST", "/v1/attempts", world.session(), data=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in {400, 422}
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_huge_body_is_refused(world: World) -> None:
    """More than 64 KiB is too large."""
    body = b'{"user":"' + b"a" * 100_000 + b'"}'
    answer = world.server("POST", "/v1/sessions", data=body, headers={"Content-Type": "application/json"})
    problem(answer, 413, "payload_too_large")


def test_another_content_type_is_refused(world: World) -> None:
    """A form, or plain text, is no JSON: a foreign page could send it without asking first."""
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = world.page(
            "POST", "/v1/attempts", world.session(), data="{}", headers={"Content-Type": kind}
        )
        problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        ({"connector": "nothing"}, "unknown_connector", "nothing"),
        ({"connector": "sandbox", "message": "nothing"}, "unknown_message", "nothing"),
        ({"connector": "sandbox", "surprise": 1}, "invalid_request", "surprise"),
        ({"connector": 7}, "invalid_request", "connector"),
        ({}, "invalid_request", "connector"),
        ({"connector": "sandbox", "locale": "x" * 101}, "invalid_request", "locale"),
        ({"connector": "sandbox", "delivery": "pigeon"}, "invalid_request", "delivery"),
        ({"connector": "sandbox", "return_url": HOST}, "invalid_request", "return_url"),
        (
            {"connector": "sandbox", "delivery": "return", "return_url": "https://evil.example/"},
            "invalid_request",
            "return_url",
        ),
        (
            {"connector": "sandbox", "delivery": "return", "return_url": "javascript:alert(1)"},
            "invalid_request",
            "return_url",
        ),
    ],
)
def test_an_attempt_that_asks_for_nonsense(world: World, body: Any, code: str, named: str) -> None:
    """The answer names what was wrong."""
    document = problem(world.page("POST", "/v1/attempts", world.session(), json=body), 422, code)
    assert named in document["detail"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", HOST + ".evil.example", "http://app.example"]
)
def test_an_origin_that_is_not_registered_gets_nothing(world: World, origin: str) -> None:
    """A session token that reached another page is of no use there, and no CORS header lets it read."""
    answer = world.page("POST", "/v1/attempts", world.session(), origin=origin, json={"connector": "sandbox"})
    problem(answer, 403, "origin_not_allowed")
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_attempt_needs_an_origin(world: World) -> None:
    """A call without an Origin is no page's: missing is failing."""
    answer = world.page("POST", "/v1/attempts", world.session(), origin=None, json={"connector": "sandbox"})
    problem(answer, 403, "origin_not_allowed")


def test_another_products_origin_is_not_ours(world: World) -> None:
    """An origin counts for its own product only, though the browser may read the refusal."""
    token = world.session(key=OTHER_SECRET_KEY)
    answer = world.page("POST", "/v1/attempts", token, json={"connector": "sandbox"})
    problem(answer, 403, "origin_not_allowed")
    assert answer.headers["Access-Control-Allow-Origin"] == HOST
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("token", ["", "x", "a.b.c", SECRET_KEY, "é"])
def test_a_forged_session_token_signs_nobody_in(world: World, token: str) -> None:
    """What is no session token of ours is not signed in."""
    headers = {"Authorization": f"Bearer {token}".encode("latin-1")}
    answer = world.page("POST", "/v1/attempts", "x", json={"connector": "sandbox"}, headers=headers)
    problem(answer, 401, "not_signed_in")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_changed_session_token_signs_nobody_in(world: World) -> None:
    """One changed character is a forgery."""
    token = world.session()
    # Not the last one: of its six bits two mean nothing.
    forged = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    problem(world.page("GET", "/v1/config", forged), 401, "not_signed_in")


def test_a_session_that_has_ended_signs_nobody_in(world: World) -> None:
    """A session token ends when it says."""
    services = world.bff_app.extensions[EXTENSION]
    principal = Principal("demo", AccountRef(world.account, world.account), User("ada"))
    ended, _ = services.sessions.tokens.issue(principal, timedelta(seconds=-1))
    problem(world.page("GET", "/v1/config", ended.reveal()), 401, "not_signed_in")


def test_a_wrong_secret_key_is_refused(world: World) -> None:
    """A key that no product has opens nothing."""
    problem(world.server("POST", "/v1/sessions", key="sk_wrong", json={}), 401, "not_signed_in")


def test_a_session_for_an_unknown_connector_is_refused(world: World) -> None:
    """A session cannot be narrowed to what the product does not offer."""
    body = {"user": {"id": "a"}, "account": {"id": "b"}, "connectors": ["nothing"]}
    document = problem(world.server("POST", "/v1/sessions", json=body), 422, "invalid_request")
    assert "nothing" in document["detail"]


def test_a_narrowed_session_connects_nothing_else(world: World) -> None:
    """A session for one connector offers that one only."""
    token = world.session(connectors=["sandbox"])
    offered = world.page("GET", "/v1/config", token).json()["connectors"]
    assert [item["key"] for item in offered] == ["sandbox"]
    answer = world.page("POST", "/v1/attempts", token, json={"connector": "sandbox-broken"})
    problem(answer, 422, "unknown_connector")


@pytest.mark.parametrize("life", [0, -1, 10**9, "60", 1.5])
def test_a_session_has_a_sensible_life(world: World, life: Any) -> None:
    """`expires_in` is whole seconds, up to a day."""
    body = {"user": {"id": "a"}, "account": {"id": "b"}, "expires_in": life}
    assert (
        "expires_in"
        in problem(world.server("POST", "/v1/sessions", json=body), 422, "invalid_request")["detail"]
    )


def test_unknown_routes_and_methods_are_problems(world: World) -> None:
    """404 and 405 are problem documents too, and 405 names what is allowed."""
    problem(world.server("GET", "/v1/nothing"), 404, "not_found")
    answer = world.server("DELETE", "/v1/sessions")
    problem(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]
    problem(world.server("GET", "/v1/attempts/att_nothing"), 404, "not_found")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 404),
        ("?product=nothing&origin=https://app.example", 404),
        ("?product=demo", 403),
        ("?product=demo&origin=https://evil.example", 403),
        ("?product=demo&origin=https://other.example", 403),
    ],
)
def test_the_opening_page_opens_for_registered_origins_only(world: World, query: str, status: int) -> None:
    """A person sees words, not a problem document."""
    page = requests.get(f"{world.bff}/connect/opening{query}", timeout=10)
    assert page.status_code == status
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<h1>" in page.text


@pytest.mark.parametrize("token", ["", "x", "é" * 50, "a" * 5000])
def test_a_launch_token_that_is_none_gets_a_page(world: World, token: str) -> None:
    """Whatever is posted as a launch token: words that a person understands."""
    page = world.launch(token)
    assert page.status_code == 410
    assert "no longer good" in page.text


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["connector", "message", "locale", "delivery", "x"]), inner)
        ),
        max_leaves=6,
    )
)
def test_no_json_breaks_the_attempts_route(world: World, body: Any) -> None:
    """Any JSON whatever is answered below 500."""
    answer = world.page(
        "POST",
        "/v1/attempts",
        world.session(),
        data=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code < 500


@pytest.mark.parametrize("text", [" ", " acme", "acme\u00a0", "\u2003"])
@pytest.mark.parametrize("whose", ["user", "account"])
def test_an_id_with_white_space_around_it_is_refused(world: World, whose: str, text: str) -> None:
    """Such space is lost on the way to the partner service: the id would name somebody else."""
    body = {"user": {"id": "ada"}, "account": {"id": "acme"}} | {whose: {"id": text}}
    told = problem(world.server("POST", "/v1/sessions", json=body), 422, "invalid_request")
    assert f"{whose}.id: write it without white space" in told["detail"]


@pytest.mark.parametrize("text", [".", ".."])
def test_an_id_that_is_a_step_in_a_path_is_refused(world: World, text: str) -> None:
    """`.` and `..` would lead the partner service's URL elsewhere, encoded or not."""
    body = {"user": {"id": "ada"}, "account": {"id": text}}
    told = problem(world.server("POST", "/v1/sessions", json=body), 422, "invalid_request")
    assert "account.id: write another id" in told["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/attempts/a%00b",
        "/v1/connections?account=a%00b",
        "/connect/opening?product=a%00b",
        "/connect/return/a%00b",
        "/connect/look/a%00b/1.css",
        "/connect/logo/a%00b",
        "/widget/v1/a%00b",
        "/health/ready?%00",
    ],
)
def test_nul_in_an_address_is_refused(world: World, path: str) -> None:
    """400 on every database: no text with NUL in it can be asked for."""
    answer = world.server("GET", path)
    assert answer.status_code == 400
    if not path.startswith("/connect/"):
        problem(answer, 400, "malformed_request")


def test_two_slashes_are_not_one(world: World) -> None:
    """404, and no redirect: it would be a page, where a problem document is wanted."""
    problem(world.server("GET", "/v1//attempts/x", allow_redirects=False), 404, "not_found")


def test_a_page_says_which_methods_it_knows(world: World) -> None:
    """405 has `Allow` there as well (RFC 9110, 15.5.6)."""
    for path, allowed in (("/connect/launch", "POST"), ("/studio/sign-out", "POST")):
        answer = requests.delete(world.bff + path, timeout=10)
        assert answer.status_code == 405
        assert allowed in answer.headers["Allow"]


def test_who_brings_nothing_is_not_signed_in(world: World) -> None:
    """Where no session of a host app can be, the custom header is not what was missing."""
    answer = requests.get(f"{world.bff}/v1/config", timeout=10)
    problem(answer, 401, "not_signed_in")


def test_a_blank_name_is_no_name(world: World) -> None:
    """An account whose name is only white space is called by its id; a user's is left out."""
    body = {"user": {"id": "ada", "name": " "}, "account": {"id": world.account, "name": "\u00a0"}}
    token = world.server("POST", "/v1/sessions", json=body).json()["token"]
    assert world.launch(world.begin(token)["launch_token"]).status_code == 303
