"""One request begins one attempt, however often it is sent (A24)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from tests.support.world import HOST, OTHER_HOST, OTHER_SECRET_KEY, World

Begin = Callable[..., requests.Response]


@pytest.fixture
def begin(world: World) -> Begin:
    """Begins an attempt with a key, for a page of Ada's unless said otherwise."""
    token = world.session()

    def send(key: str | None, *, as_: str = token, origin: str = HOST, **body: Any) -> requests.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        whole = {"connector": "sandbox"} | body
        return world.page("POST", "/v1/attempts", as_, origin=origin, headers=headers, json=whole)

    return send


def test_a24_a_repeat_is_answered_with_the_same_attempt(world: World, begin: Begin) -> None:
    """Its launch token cannot be told twice: it gets a new one, and the old one is void."""
    first, second = begin("k1").json(), begin("k1").json()
    assert {**first, "launch_token": ""} == {**second, "launch_token": ""}
    assert first["launch_token"] != second["launch_token"]
    assert world.launch(first["launch_token"]).status_code == 410
    assert world.launch(second["launch_token"]).status_code == 303
    assert world.launch(second["launch_token"]).status_code == 410


def test_a24_of_many_at_once_one_attempt_comes(world: World, begin: Begin) -> None:
    """A double click, twentyfold: one attempt, of whose launch tokens one is good."""
    with ThreadPoolExecutor(20) as pool:
        answers = [answer.json() for answer in pool.map(lambda _: begin("k1"), range(20))]
    assert len({answer["id"] for answer in answers}) == 1
    launches = [world.launch(answer["launch_token"]).status_code for answer in answers]
    assert sorted(launches) == [303] + [410] * 19


def test_a24_what_was_launched_is_not_launched_again(world: World, begin: Begin) -> None:
    """A repeat after the launch, or after the end, says how the attempt stands, and gives no token."""
    first = begin("k1").json()
    world.launch(first["launch_token"])
    again = begin("k1")
    assert again.status_code == 201
    assert (again.json()["id"], again.json()["status"]) == (first["id"], "launched")
    assert again.json()["launch_token"] is None
    other = begin("k2").json()
    world.change(other["id"], expires_at=datetime.now(UTC))
    assert begin("k2").json()["launch_token"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"connector": "sandbox-broken"},
        {"message": "done"},
        {"locale": "de"},
        {"delivery": "return"},
        {"delivery": "return", "return_url": HOST + "/a"},
        {"origin": "https://staging.example:8443"},
    ],
)
def test_a24_another_request_needs_another_key(begin: Begin, change: dict[str, Any]) -> None:
    """The key with anything else in the request is refused, and the attempt stays as it was."""
    first = begin("k1")
    assert first.status_code == 201
    refused = begin("k1", **change)
    assert refused.status_code == 422
    assert "Idempotency-Key" in refused.json()["detail"]
    assert begin("k1").json()["id"] == first.json()["id"]
    assert begin("k2", **change).status_code == 201


def test_a24_a_key_is_its_principals_own(world: World, begin: Begin) -> None:
    """The same key of another user, account or product is another key: nobody meets another's attempt."""
    grace, other = world.session(user="grace"), world.session(key=OTHER_SECRET_KEY)
    world.account += "-two"
    elsewhere = world.session()
    answers = [
        begin("k1"),
        begin("k1", as_=grace),
        begin("k1", as_=elsewhere),
        begin("k1", as_=other, origin=OTHER_HOST),
        begin(None),
        begin(None),
    ]
    assert [answer.status_code for answer in answers] == [201] * 6
    assert len({answer.json()["id"] for answer in answers}) == 6


@pytest.mark.parametrize("key", ["", "k" * 256, "\u00e9", "a\tb"])
def test_a24_a_key_is_a_short_text(begin: Begin, key: str) -> None:
    """1 to 255 printable ASCII characters."""
    assert begin(key.encode("latin-1")).status_code == 422
    assert begin('"8e03978e-40d5-43dd-bc93-6894a57f9324"').status_code == 201


def test_a24_a_refused_request_keeps_no_key(begin: Begin) -> None:
    """What began nothing may be mended and sent again by the same key."""
    assert begin("k1", connector="nothing").status_code == 422
    assert begin("k1").status_code == 201
