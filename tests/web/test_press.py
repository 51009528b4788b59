"""A button is pressed: the BFF mints while the popup opens, and the launch that follows need not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from bff.connect.launch_minting import MintedLaunch
from bff.connect.prefetch import Prefetcher
from tests.support.databases import DatabaseUrl
from tests.support.waiting import wait_for
from tests.support.world import HOST, World, open_world
from tests.web.test_in_app import IN_APP

pytestmark = pytest.mark.one_database


@pytest.fixture
def token(world: World) -> str:
    """Ada's session, in an account that the partner service knows."""
    session = world.session()
    assert world.launch(world.begin(session)["launch_token"]).status_code == 303
    return session


@pytest.fixture
def prefetcher(world: World) -> Prefetcher[MintedLaunch | None]:
    """What this worker has minted ahead."""
    found: Prefetcher[MintedLaunch | None] = world.bff_app.extensions[
        "hitchpost"
    ].attempts.service._prefetcher
    return found


@pytest.fixture
def held(world: World) -> Iterator[World]:
    """A world whose partner service hears every call, and answers none before the test lets it."""
    world.partner_calls.open.clear()
    yield world
    world.partner_calls.open.set()


def minted(world: World, prefetcher: Prefetcher[MintedLaunch | None], attempt: str) -> None:
    """Wait until what was begun for this attempt is there."""
    wait_for(lambda: attempt in prefetcher._kept and prefetcher._kept[attempt][1].done())


def test_a_launch_after_a_press_asks_for_nothing(
    world: World, token: str, prefetcher: Prefetcher[MintedLaunch | None]
) -> None:
    """One token in all, and it is the one that leads to the third party."""
    attempt, before = world.begin(token), world.mints()
    heard = world.press(attempt["launch_token"])
    assert (heard.status_code, heard.content) == (204, b"")
    minted(world, prefetcher, attempt["id"])
    calls = len(world.partner_calls.seen)
    browser = requests.Session()
    launched = world.launch(attempt["launch_token"], browser=browser)
    assert launched.status_code == 303
    assert (world.mints() - before, len(world.partner_calls.seen)) == (1, calls)
    world.sign_in(launched.headers["Location"], browser=browser)
    told = world.read(attempt["id"])
    assert told["status"] == "connected"
    steps = [step["step"] for step in told["timeline"]]
    assert steps[:3] == ["prepared", "minted", "launched"]


def test_the_press_is_answered_before_anything_is_minted(token: str, held: World) -> None:
    """The page waits for nothing; a launch that comes meanwhile waits for that token, not for another."""
    attempt, before = held.begin(token), held.mints()
    assert held.press(attempt["launch_token"]).status_code == 204
    wait_for(lambda: held.mints() > before)
    held.partner_calls.open.set()
    assert held.launch(attempt["launch_token"]).status_code == 303
    assert held.mints() == before + 1


@pytest.mark.parametrize("case", ["unknown", "used", "past its time"])
def test_a_token_that_launches_nothing_presses_nothing(world: World, token: str, case: str) -> None:
    """Refused as the launch refuses it, the three cases alike."""
    attempt = world.begin(token)
    if case == "used":
        world.launch(attempt["launch_token"])
    elif case == "past its time":
        world.change(attempt["id"], expires_at=datetime.now(UTC) - timedelta(seconds=1))
    before = world.mints()
    refused = world.press("unknown" if case == "unknown" else attempt["launch_token"])
    assert (refused.status_code, refused.json()["code"]) == (410, "launch_refused")
    assert refused.json()["detail"] == "this launch token is unknown, was used, or is past its time"
    assert world.mints() == before


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"launch_token": "x"}'),
        ("text/plain", b"launch_token=x"),
        ("application/x-www-form-urlencoded", b"token=x"),
        ("application/x-www-form-urlencoded", b""),
    ],
)
def test_what_is_no_such_form_is_refused_by_name(world: World, kind: str, body: bytes) -> None:
    """The field that is missing is named."""
    headers = {"Origin": HOST, "Content-Type": kind}
    refused = requests.post(f"{world.bff}/v1/press", data=body, headers=headers, timeout=10)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert "launch_token" in refused.json()["detail"]


def test_a_token_that_comes_twice_is_refused(world: World) -> None:
    """Nobody could say which one was meant."""
    headers = {"Origin": HOST, "Content-Type": "application/x-www-form-urlencoded"}
    body = b"launch_token=a&launch_token=b"
    refused = requests.post(f"{world.bff}/v1/press", data=body, headers=headers, timeout=10)
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed_request")


def test_nothing_is_minted_where_the_launch_would_ask_first(
    world: World, token: str, prefetcher: Prefetcher[MintedLaunch | None]
) -> None:
    """Google inside another app's browser: the person is told of a way out before anything is begun."""
    agent = {"User-Agent": IN_APP["instagram"]}
    attempt = world.begin(token, "google-drive", delivery="return", return_url=f"{HOST}/")
    assert world.press(attempt["launch_token"], headers=agent).status_code == 204
    begun = {"connector": "google-drive", "pressed": True}
    told = world.page("POST", "/v1/attempts", token, json=begun, headers=agent)
    assert told.status_code == 201
    assert not {attempt["id"], told.json()["id"]} & set(prefetcher._begun)


def test_what_is_minted_ahead_waits_for_no_turn_of_its_own(tmp_path: Path, database_url: DatabaseUrl) -> None:
    """As at Cyclr, where a mint asks something in the background: one thread for each is enough."""
    settings = {"threads": 1}
    with open_world(tmp_path, database_url=database_url, bff_settings=settings, tell_sign_ins=False) as world:
        session = world.session()
        world.launch(world.begin(session)["launch_token"])
        attempt, before = world.begin(session), world.mints()
        prefetcher = world.bff_app.extensions["hitchpost"].attempts.service._prefetcher
        world.press(attempt["launch_token"])
        minted(world, prefetcher, attempt["id"])
        assert world.launch(attempt["launch_token"]).status_code == 303
        assert world.mints() == before + 1


class TestPressedAtOnce:
    """A click that finds no attempt begins one, and says that it is pressed already."""

    def test_it_is_minted_for_as_it_is_begun(
        self, world: World, token: str, prefetcher: Prefetcher[MintedLaunch | None]
    ) -> None:
        """One token in all."""
        before = world.mints()
        attempt = world.begin(token, pressed=True)
        minted(world, prefetcher, attempt["id"])
        assert world.launch(attempt["launch_token"]).status_code == 303
        assert world.mints() == before + 1

    @pytest.mark.parametrize("pressed", ["true", 1, None])
    def test_it_is_true_or_false(self, world: World, token: str, pressed: object) -> None:
        """Anything else is refused by name."""
        body = {"connector": "sandbox", "pressed": pressed}
        refused = world.page("POST", "/v1/attempts", token, json=body)
        assert refused.status_code == 422
        assert "pressed" in refused.json()["detail"]
