"""A press mints ahead of a launch: for the page that began, within limits, and without a word of it."""

from __future__ import annotations

import pytest

from tests.support.fixtures import Strict
from tests.support.waiting import wait_for
from tests.support.world import HOST, World

pytestmark = pytest.mark.one_database

ELSEWHERE = [
    None,
    "null",
    "https://evil.example",
    "https://staging.example:8443",
    HOST + "/",
    "the BFF's own",
]


def minted_ahead(world: World, attempt: str) -> bool:
    """Whether a token waits for this attempt's launch."""
    kept = world.bff_app.extensions["hitchpost"].attempts.service._prefetcher._kept
    return attempt in kept and kept[attempt][1].done()


def begun(world: World) -> set[str]:
    """The attempts that were ever minted for ahead."""
    return set(world.bff_app.extensions["hitchpost"].attempts.service._prefetcher._begun)


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_a4_a_press_comes_from_the_page_that_began(world: World, origin: str | None) -> None:
    """From anywhere else, another page of the same product included, it is refused, and nothing is minted."""
    attempt = world.begin(world.session())
    said = world.bff if origin == "the BFF's own" else origin
    refused = world.press(attempt["launch_token"], origin=said, headers={"Sec-Fetch-Site": "cross-site"})
    assert (refused.status_code, refused.json()["code"]) == (403, "origin_not_allowed")
    assert attempt["launch_token"] not in refused.text
    assert attempt["id"] not in begun(world)
    assert world.read(attempt["id"])["status"] == "created"


def test_a20_a_press_gives_nothing_away(world: World) -> None:
    """The same empty answer the first time, the second, and once it is minted; no cookie, nothing to keep."""
    attempt = world.begin(world.session())
    answers = [world.press(attempt["launch_token"])]
    wait_for(lambda: minted_ahead(world, attempt["id"]))
    answers.append(world.press(attempt["launch_token"]))
    for answer in answers:
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["Cache-Control"] == "no-store"
        assert not {"Set-Cookie", "Location", "Content-Type"} & set(answer.headers)
    assert set(answers[0].headers) == set(answers[1].headers)
    told = world.read(attempt["id"], "")
    assert told["status"] == "created"
    assert [step["step"] for step in told["timeline"]] == ["prepared"]


def test_a20_what_was_pressed_is_still_launched_once(world: World) -> None:
    """Two launches of a pressed attempt: the one token leads one browser on."""
    attempt = world.begin(world.session())
    world.press(attempt["launch_token"])
    wait_for(lambda: minted_ahead(world, attempt["id"]))
    answers = [world.launch(attempt["launch_token"]) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 410]
    assert not minted_ahead(world, attempt["id"])


def test_a25_a_user_presses_only_so_often(strict: Strict) -> None:
    """As often as they may launch, and counted apart: a click is one of each. Over it nothing is minted."""
    world = strict(limit_user_launches=1)
    token = world.session()
    first, second = world.begin(token), world.begin(token)
    assert world.press(first["launch_token"]).status_code == 204
    refused = world.press(second["launch_token"])
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert int(refused.headers["Retry-After"]) >= 1
    third = world.begin(token, pressed=True)
    assert begun(world) == {first["id"]}
    assert world.launch(first["launch_token"]).status_code == 303
    assert world.launch(third["launch_token"]).status_code == 429


def test_a25_a_stranger_spends_nobodys_presses(strict: Strict) -> None:
    """From elsewhere, or with a token that is none, a press costs its user nothing."""
    world = strict(limit_user_launches=1)
    attempt = world.begin(world.session())
    for _ in range(3):
        assert world.press(attempt["launch_token"], origin="https://evil.example").status_code == 403
        assert world.press("unknown").status_code == 410
    assert world.press(attempt["launch_token"]).status_code == 204
