"""One request begins one attempt, however often it is sent (A24)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.support.world import HOST, World

pytestmark = pytest.mark.one_database

Begin = Callable[..., requests.Response]


@pytest.fixture
def begin(world: World) -> Begin:
    """Begins an attempt with a key, for a page of Ada's."""
    token = world.session()

    def send(key: str, *, origin: str = HOST, **body: Any) -> requests.Response:
        headers = {"Idempotency-Key": key}
        whole = {"connector": "sandbox"} | body
        return world.page("POST", "/v1/attempts", token, origin=origin, headers=headers, json=whole)

    return send


def test_that_its_button_is_pressed_by_now_makes_it_no_other_request(begin: Begin) -> None:
    """The widget repeats the call when the press comes before the answer."""
    assert begin("k1").json()["id"] == begin("k1", pressed=True).json()["id"]


@pytest.mark.both_databases
def test_a24_of_many_at_once_one_attempt_comes(world: World, begin: Begin) -> None:
    """A double click, twentyfold: one attempt, of whose launch tokens one is good; and none after it."""
    with ThreadPoolExecutor(20) as pool:
        answers = [answer.json() for answer in pool.map(lambda _: begin("k1"), range(20))]
    assert len({answer["id"] for answer in answers}) == 1
    launches = [world.launch(answer["launch_token"]).status_code for answer in answers]
    assert sorted(launches) == [303] + [410] * 19
    again = begin("k1")
    assert (again.status_code, again.json()["id"]) == (201, answers[0]["id"])
    assert (again.json()["status"], again.json()["launch_token"]) == ("launched", None)


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


@pytest.mark.parametrize("key", ["", "k" * 256, "\u00e9", "a\tb"])
def test_a24_a_key_is_a_short_text(begin: Begin, key: str) -> None:
    """1 to 255 printable ASCII characters."""
    assert begin(key.encode("latin-1")).status_code == 422
    assert begin('"8e03978e-40d5-43dd-bc93-6894a57f9324"').status_code == 201
