"""A launch is direct only from the page that began it, or from an opening page that was opened for it (A65).

Whoever else hands over a launch token (a page of another product above all) would link the account of whoever
sits at that browser to the company of whoever made the attempt.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from bff.common.secret import Secret
from bff.web.kit.confirmations import Confirmations
from bff.web.kit.services import EXTENSION
from tests.support.mounted import Mounted, open_mounted
from tests.support.studio import Page, StudioWorld
from tests.support.world import HOST, OPENED_FOR, OTHER_HOST, World
from tests.web.test_in_app import IN_APP

pytestmark = pytest.mark.one_database

EVIL = {"product": "other", "origin": OTHER_HOST}
"""What the opening page posts that a page of another product opened for itself."""

NOT_ITS_OWN: list[dict[str, str]] = [
    EVIL,
    {},
    {"product": "demo"},
    {"origin": HOST},
    {"product": "", "origin": ""},
    {"product": "other", "origin": HOST},
    {"product": "demo", "origin": OTHER_HOST},
    {"product": "demo", "origin": "https://staging.example:8443"},
    {"product": "demo~draft", "origin": HOST},
    {"product": "demo", "origin": HOST + "/"},
    {"product": "Demo", "origin": HOST},
]


def asks_first(answer: requests.Response) -> bool:
    """Whether it is the page that asks a person, and leads nowhere."""
    return answer.status_code == 200 and "Location" not in answer.headers and "confirmation" in answer.text


def browser_of(text: str) -> dict[str, str]:
    """The hidden fields of a page's form, as a browser sends them."""
    fields = (item for tag, item in Page(text).elements if tag == "input" and item.get("type") == "hidden")
    return {item["name"]: item.get("value", "") for item in fields}


def post(world: World, form: dict[str, str], origin: str | None, **headers: str) -> requests.Response:
    """A form is posted to the launch from a page at ``origin``."""
    sent = headers | ({"Origin": origin} if origin else {})
    return requests.post(
        f"{world.bff}/connect/launch", data=form, headers=sent, allow_redirects=False, timeout=20
    )


def test_a65_the_opening_page_says_for_whom_it_was_opened(world: World) -> None:
    """Its form posts the product and the page with the token: what its address says, and only that."""
    for opened_for in (OPENED_FOR, EVIL):
        page = requests.get(f"{world.bff}/connect/opening", params=opened_for, timeout=10)
        assert browser_of(page.text) == {"launch_token": "", **opened_for}


@pytest.mark.parametrize("opened_for", NOT_ITS_OWN, ids=str)
def test_a65_an_opening_page_of_somebody_else_asks_first(world: World, opened_for: dict[str, str]) -> None:
    """The BFF's own origin proves nothing: nothing is used up, and the right page goes on afterwards."""
    attempt = world.begin(world.session())
    assert asks_first(world.launch(attempt["launch_token"], opened_for=opened_for))
    assert world.read(attempt["id"])["status"] == "created"
    assert world.mints() == 0
    assert world.launch(attempt["launch_token"], opened_for=OPENED_FOR).status_code == 303


def test_a65_the_page_that_began_goes_on_in_its_own_tab(world: World) -> None:
    """It needs no opening page."""
    attempt = world.begin(world.session(), delivery="return", return_url=HOST + "/")
    assert world.launch(attempt["launch_token"], origin=HOST, opened_for={}).status_code == 303


def test_a65_another_page_of_the_same_product_asks_first(world: World) -> None:
    """An attempt belongs to one page's origin, not to all that its product registered."""
    attempt = world.begin(world.session())
    staging = {"product": "demo", "origin": "https://staging.example:8443"}
    page = requests.get(f"{world.bff}/connect/opening", params=staging, timeout=10)
    form = browser_of(page.text) | {"launch_token": attempt["launch_token"]}
    assert asks_first(post(world, form, world.bff))


@pytest.mark.parametrize("more", [{}, {"anyway": "1"}])
def test_a65_inside_an_app_nothing_is_taken_on_trust(world: World, more: dict[str, str]) -> None:
    """The field with which a person goes on all the same opens no other door; its own form goes on."""
    attempt = world.begin(world.session(), "google-drive")
    token, agent = {"launch_token": attempt["launch_token"]}, {"User-Agent": IN_APP["instagram"]}
    for opened_for in (EVIL, {}):
        assert asks_first(post(world, token | opened_for | more, world.bff, **agent))
    page = post(world, token | OPENED_FOR, world.bff, **agent)
    assert "does not allow signing in inside another app" in page.text
    assert post(world, browser_of(page.text), world.bff, **agent).status_code == 303


def test_a65_a_drafts_attempt_is_its_own_studios(studio: StudioWorld) -> None:
    """Every draft's page is at the BFF's own origin: that is no reason to take another product's word."""
    bff, world = studio.world.bff, studio.world
    editor = studio.editor()
    token = editor.get("session").json()["token"]

    def begin() -> str:
        asked = {"connector": "hubspot"}
        answer = world.page("POST", "/v1/attempts", token, origin=bff, json=asked)
        return str(answer.json()["launch_token"])

    launch_token = begin()
    for opened_for in (EVIL, {"product": "other~draft", "origin": bff}, {"product": studio.product}):
        page = editor.browser.post(
            f"{bff}/connect/launch",
            data={"launch_token": launch_token, **opened_for},
            headers={"Origin": bff},
            allow_redirects=False,
            timeout=20,
        )
        assert asks_first(page)
    own = {"product": f"{studio.product}~draft", "origin": bff}
    answer = post(world, {"launch_token": launch_token, **own}, bff)
    assert answer.status_code == 303


def test_a65_at_one_origin_with_the_host_an_opening_page_still_tells(mounted: Mounted) -> None:
    """The host's pages and the opening page have the same origin: what the latter posts must fit."""
    token = mounted.begin()
    assert asks_first(mounted.launch(token, product="other", origin="https://other.example"))
    assert asks_first(mounted.launch(token, product="embedded"))
    assert mounted.launch(token, product="embedded", origin=mounted.url).status_code == 303
    assert mounted.launch(mounted.begin()).status_code == 303


@pytest.mark.parametrize("origin", ["https://evil.example", None])
def test_a65_at_one_origin_a_repeated_launch_stays_a_strangers(
    shared_world: World, tmp_path: Path, origin: str | None
) -> None:
    """The page that repeats it is at the host's own origin: a press there must not pass for the host's."""
    with open_mounted(tmp_path, shared_world.partner, limit_address=1) as mounted:
        first, second = mounted.begin(), mounted.begin()
        assert mounted.launch(first).status_code == 303
        headers = {"Origin": origin} if origin else {}
        launch = f"{mounted.url}/hitchpost/connect/launch"
        refused = requests.post(launch, data={"launch_token": second}, headers=headers, timeout=20)
        assert refused.status_code == 429
        # Counted at another address, as a minute later it would be again.
        mounted.browser.mount("http://", FromElsewhere())
        assert asks_first(mounted.launch(second, **without_token(browser_of(refused.text))))


def without_token(form: dict[str, str]) -> dict[str, str]:
    """The other fields of a launch."""
    return {name: value for name, value in form.items() if name != "launch_token"}


class FromElsewhere(HTTPAdapter):
    """Calls from another address of this machine."""

    def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
        """Bind to it."""
        super().init_poolmanager(*arguments, **more, source_address=("127.0.0.2", 0))


class Asked:
    """The page that asks first, for an attempt of this world."""

    def __init__(self, world: World, at: datetime | None = None) -> None:
        self.world = world
        self.attempt = world.begin(world.session())
        self.page = world.launch(self.attempt["launch_token"], origin=None)
        assert asks_first(self.page)
        self.form = browser_of(self.page.text)
        if at is not None:
            self.form["confirmation"] = self.confirmation(at, self.attempt["id"])

    def confirmation(self, at: datetime, attempt_id: str) -> str:
        """What a page shown at that time carries."""
        services = self.world.bff_app.extensions[EXTENSION]
        attempt = services.attempts.store.get(attempt_id)
        return Confirmations([Secret("k" * 40)], lambda: at).issue(attempt)

    def press(self, origin: str | None = "bff", **more: str) -> requests.Response:
        """Its button is pressed."""
        return post(self.world, self.form | more, self.world.bff if origin == "bff" else origin)


def ago(seconds: float) -> datetime:
    """So long ago."""
    return datetime.now(UTC) - timedelta(seconds=seconds)


def test_a76_a_press_counts_a_second_after_the_page_was_shown(world: World) -> None:
    """Sooner the page is shown again, and nothing is used up; then it goes on."""
    assert asks_first(Asked(world).press())
    sooner = Asked(world)
    # Only now: what a busy machine needs for the page must not be part of the second.
    sooner.form["confirmation"] = sooner.confirmation(ago(0.7), sooner.attempt["id"])
    assert asks_first(sooner.press())
    assert asks_first(Asked(world, ago(-5)).press())
    assert asks_first(Asked(world, ago(700)).press())
    asked = Asked(world, ago(1.1))
    assert asked.world.read(asked.attempt["id"])["status"] == "created"
    assert asked.press().status_code == 303


def test_a76_what_the_form_carries_is_its_own_attempts_and_ours(world: World) -> None:
    """Another attempt's, a forged or an absent one is none; nor is a right one from elsewhere."""
    asked, other = Asked(world, ago(2)), Asked(world, ago(2))
    for wrong in ("", "x", other.form["confirmation"], "x" + asked.form["confirmation"][1:]):
        assert asks_first(asked.press(confirmation=wrong))
    signed_by_others = Confirmations([Secret("x" * 40)], lambda: ago(2))
    attempt = world.bff_app.extensions[EXTENSION].attempts.store.get(asked.attempt["id"])
    assert asks_first(asked.press(confirmation=signed_by_others.issue(attempt)))
    for origin in (None, "null", OTHER_HOST):
        assert asks_first(asked.press(origin))
    assert asked.press().status_code == 303


def test_the_page_that_asks_names_what_a_person_decides_on(world: World) -> None:
    """Product, connector, account and user, each with its id; a way to say no."""
    page = Asked(world).page
    words = " ".join(Page(page.text).words.split())
    for named in ("Demo SaaS (demo)", "Sandbox CRM (sandbox)", world.account, "Ada (ada)", "No, close"):
        assert named in words, named
    assert "disabled" in next(item for item in Page(page.text).tags("button") if item["type"] == "submit")


@pytest.mark.parametrize("name", ["\u200b", "\u3164", "\u2800", "\u202e\u2066", "\u115f\u034f", "\u0301"])
def test_a_name_that_cannot_be_seen_is_none(world: World, name: str) -> None:
    """The id stands there instead, its own invisible characters by their numbers."""
    who: dict[str, Any] = {
        "user": {"id": f"mallory{name}", "name": name},
        "account": {"id": world.account, "name": name},
    }
    token = world.server("POST", "/v1/sessions", json=who).json()["token"]
    page = world.launch(world.begin(token)["launch_token"], origin=None)
    words = " ".join(Page(page.text).words.split())
    assert f"Account {world.account} Signed in as mallory" in words
    if name != "\u0301":
        assert f"mallory<U+{ord(name[0]):04X}>" in words
