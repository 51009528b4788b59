"""Bad input gets a clear answer: a problem document with a stable code, nothing half-done, never a 500."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.support.world import HOST, OTHER_SECRET_KEY, SECRET_KEY, World
from tests.web.test_problems import problem

pytestmark = pytest.mark.one_database


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


def test_who_brings_nothing_is_not_signed_in(world: World) -> None:
    """Where no session of a host app can be, the custom header is not what was missing."""
    answer = requests.get(f"{world.bff}/v1/config", timeout=10)
    problem(answer, 401, "not_signed_in")


def test_a_blank_name_is_no_name(world: World) -> None:
    """An account whose name is only white space is called by its id; a user's is left out."""
    body = {"user": {"id": "ada", "name": " "}, "account": {"id": world.account, "name": "\u00a0"}}
    token = world.server("POST", "/v1/sessions", json=body).json()["token"]
    assert world.launch(world.begin(token)["launch_token"]).status_code == 303
