"""Whose sign-in made the connection, at a strict stand-in for Cyclr: it tells its flag, and nothing else."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from bff.receipts import KeySet, verify
from tests.support.cyclr.control import Denial
from tests.support.cyclr.world import CyclrWorld, open_cyclr_world
from tests.support.databases import DatabaseUrl
from tests.support.world import HOST, OTHER_HOST, OTHER_SECRET_KEY, SECRET_KEY

pytestmark = pytest.mark.one_database

PRODUCTS = f"""
[[product]]
key = "demo"
name = "Demo SaaS"
origins = ["{HOST}"]
secret_keys = ["{SECRET_KEY}"]
account_namespace = "group"
connectors = ["crm"]
[product.connector.crm]
reference = "Sandbox CRM"
[product.messages.done]
kind = "plain"
text = "done"

[[product]]
key = "other"
name = "Other SaaS"
origins = ["{OTHER_HOST}"]
secret_keys = ["{OTHER_SECRET_KEY}"]
account_namespace = "group"
connectors = ["crm"]
[product.connector.crm]
reference = "Sandbox CRM"
"""


@dataclass
class Click:
    """One user's click, whose browser is at the third party."""

    world: CyclrWorld
    attempt: str
    url: str
    token: str

    @property
    def returns(self) -> bool:
        """Whether the partner service is to send the browser back, and to post nothing."""
        return "callbackMessage" not in parse_qs(urlsplit(self.url).query)

    def end(self, decision: str) -> requests.Response:
        """Allow or deny; the return page, if it is reached, tells the server."""
        last = self.world.sign_in(self.url, decision)
        if "/connect/return/" in last.url:
            error = parse_qs(urlsplit(last.url).query).get("error", [""])[0]
            return self.report(last.url, error=error)
        return last

    def allow_and_vanish(self) -> None:
        """The sign-in succeeds, and the window is closed at that instant."""
        leading_back = self.world.sign_in(self.url, follow=False)
        requests.get(leading_back.headers["Location"], allow_redirects=False, timeout=30)

    def report(self, url: str, **fields: str) -> requests.Response:
        """What the return page posts."""
        page = url.partition("?")[0]
        return requests.post(page, headers={"Origin": self.world.bff}, data=fields, timeout=30)

    def answer(self, finished: str) -> dict[str, Any]:
        """What the user says who is asked."""
        target = parse_qs(urlsplit(self.url).query)["targetOrigin"][0]
        self.report(target, finished=finished)
        return self.read()

    def read(self, hint: str = "message") -> dict[str, Any]:
        """What the page is told that looks after a signal."""
        found: dict[str, Any] = self.world.page(
            "GET", f"/v1/attempts/{self.attempt}?hint={hint}", self.token
        ).json()
        return found

    def cancel(self) -> dict[str, Any]:
        """The user gives up."""
        found: dict[str, Any] = self.world.page(
            "POST", f"/v1/attempts/{self.attempt}/cancel", self.token, json={}
        ).json()
        return found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, database_url: DatabaseUrl) -> Iterator[CyclrWorld]:
    """One stand-in and one BFF."""
    folder = tmp_path_factory.mktemp("whose")
    with open_cyclr_world(folder, products_text=PRODUCTS, database_url=database_url) as world:
        yield world


@pytest.fixture
def cyclr_world(shared: CyclrWorld) -> Iterator[CyclrWorld]:
    """Seen from an account that nobody else uses; the stand-in has its usual habits."""
    yield replace(shared, account="acme-" + secrets.token_hex(4))
    shared.cyclr.habits.on_denial = "page"


def press(world: CyclrWorld, user: str = "ada", **more: Any) -> Click:
    """A user presses Connect."""
    token = world.session(user=user)
    attempt = world.begin(token, "crm", **more)
    return Click(world, attempt["id"], world.launch(attempt["launch_token"]).headers["Location"], token)


def told(reading: dict[str, Any]) -> tuple[str, bool | None, bool]:
    """Status, whether the user is named for it, and whether there is a receipt; the page's result says so."""
    if result := reading.get("result"):
        said = result["attributed"], result["receipt"]
        assert said == (reading["attributed"], reading["receipt"])
    return reading["status"], reading["attributed"], reading["receipt"] is not None


MINE = ("connected", True, True)
SOMEBODYS = ("connected", False, False)


def reconnect(world: CyclrWorld, **more: Any) -> Click:
    """Ada has connected, and presses Reconnect."""
    first = press(world)
    first.end("allow")
    assert told(first.read()) == MINE
    return press(world, **more)


def test_one_user_alone_is_named(cyclr_world: CyclrWorld) -> None:
    """With a receipt that says so."""
    click = press(cyclr_world)
    assert not click.returns
    click.end("allow")
    reading = click.read()
    assert told(reading) == MINE
    receipt = verify(
        reading["receipt"],
        keys=KeySet(f"{cyclr_world.bff}/.well-known/jwks.json"),
        issuer=cyclr_world.bff,
        product="demo",
    )
    assert (receipt.user, receipt.account) == ("ada", cyclr_world.account)


DENIALS: tuple[Denial, ...] = ("page", "error", "bare")


@pytest.mark.parametrize("vanishes", [False, True])
@pytest.mark.parametrize("first", ["ada", "bob"])
@pytest.mark.parametrize("denial", DENIALS)
def test_two_users_at_once_and_one_denies(
    cyclr_world: CyclrWorld, denial: Denial, first: str, vanishes: bool
) -> None:
    """Whoever began first, and however the denial is told: Bob, who denied, is never named."""
    cyclr_world.cyclr.habits.on_denial = denial
    clicks = {user: press(cyclr_world, user) for user in sorted(["ada", "bob"], key=first.__ne__)}
    assert clicks["bob" if first == "ada" else "ada"].returns
    if vanishes:
        clicks["ada"].allow_and_vanish()
    else:
        clicks["ada"].end("allow")
    clicks["bob"].end("deny")
    expected = ("declined", None, False) if denial == "error" and clicks["bob"].returns else SOMEBODYS
    assert told(clicks["bob"].read("closed")) == expected
    ada = clicks["ada"].read("closed" if vanishes else "message")
    # Of two where one was refused for certain, it was the other.
    assert told(ada) == (MINE if expected[0] == "declined" else SOMEBODYS)


def test_a_page_whose_user_still_signs_in_goes_on_waiting(cyclr_world: CyclrWorld) -> None:
    """Another user of the account connects meanwhile; its window is not closed in its face."""
    ada, bob = press(cyclr_world), press(cyclr_world, "bob")
    ada.end("allow")
    assert told(ada.read()) == SOMEBODYS
    for hint in ("", "focus"):
        assert told(bob.read(hint)) == ("launched", None, False)
    assert told(bob.cancel()) == SOMEBODYS


def test_a_sign_in_that_was_given_up_may_still_finish(cyclr_world: CyclrWorld) -> None:
    """Bob cancels, Ada begins, Bob allows in the window that he left open, Ada closes hers."""
    bob = press(cyclr_world, "bob")
    assert told(bob.cancel())[0] == "cancelled"
    ada = press(cyclr_world)
    bob.end("allow")
    assert told(ada.read("closed")) == SOMEBODYS
    assert bob.read()["late_success"] is None


@pytest.mark.both_databases
def test_a_minted_url_is_another_sign_in(cyclr_world: CyclrWorld) -> None:
    """Bob follows one that a host's server asked for; Ada denies."""
    asked = {
        "user": {"id": "bob"},
        "account": {"id": cyclr_world.account},
        "connector": "crm",
        "target_origin": HOST,
        "callback_message": "done",
    }
    minted = cyclr_world.server("POST", "/v1/sign-in-urls", json=asked).json()
    ada = press(cyclr_world)
    assert ada.returns
    cyclr_world.sign_in(minted["url"])
    ada.end("deny")
    assert told(ada.read("closed")) == SOMEBODYS


def test_another_product_is_another_user(cyclr_world: CyclrWorld) -> None:
    """Two products share an account at Cyclr, and call a user the same."""
    ada, token = press(cyclr_world), cyclr_world.session(key=OTHER_SECRET_KEY)
    begun = cyclr_world.page(
        "POST", "/v1/attempts", token, origin=OTHER_HOST, json={"connector": "crm"}
    ).json()
    opened_for = {"product": "other", "origin": OTHER_HOST}
    url = cyclr_world.launch(begun["launch_token"], opened_for=opened_for).headers["Location"]
    assert Click(cyclr_world, begun["id"], url, token).returns
    cyclr_world.sign_in(url)
    ada.end("deny")
    assert told(ada.read("closed")) == SOMEBODYS


def test_a_user_who_tries_again_is_named(cyclr_world: CyclrWorld) -> None:
    """Whichever of their own windows it was: they did it."""
    press(cyclr_world).cancel()
    again = press(cyclr_world)
    assert not again.returns
    again.end("allow")
    assert told(again.read()) == MINE


class TestReconnect:
    """The flag was there before, and shows nothing."""

    def test_a_denial_with_an_error_is_told_as_one(self, cyclr_world: CyclrWorld) -> None:
        """The connection stands all the same."""
        click = reconnect(cyclr_world)
        assert click.returns
        cyclr_world.cyclr.habits.on_denial = "error"
        assert click.end("deny").json()["status"] == "declined"
        assert told(click.read()) == ("declined", None, False)

    @pytest.mark.parametrize("decision", ["allow", "deny"])
    def test_coming_back_without_a_word_is_no_success(self, cyclr_world: CyclrWorld, decision: str) -> None:
        """Nor a failure: the user is asked, and named for neither answer."""
        cyclr_world.cyclr.habits.on_denial = "bare"
        click = reconnect(cyclr_world)
        assert click.end(decision).json()["status"] == "launched"
        assert told(click.read()) == ("launched", None, False)
        if decision == "allow":
            assert told(click.answer("yes")) == SOMEBODYS
        else:
            assert told(click.answer("no")) == ("cancelled", None, False)

    def test_a_text_from_outside_is_shown_nowhere(self, cyclr_world: CyclrWorld) -> None:
        """Whatever somebody wrote into the error of the query."""
        click = reconnect(cyclr_world)
        target = parse_qs(urlsplit(click.url).query)["targetOrigin"][0]
        text = "<img src=x onerror=alert(1)>" * 4000
        page = requests.get(target, params={"error": text[:1000]}, timeout=30)
        assert "onerror" not in page.text
        assert click.report(target, error=text[:1000]).json()["status"] == "failed"
        assert "onerror" not in str(cyclr_world.read(click.attempt))

    def test_the_page_gets_its_plain_message_from_the_widget(self, cyclr_world: CyclrWorld) -> None:
        """No window posts it; a sealed one is nothing to the page."""
        click = reconnect(cyclr_world, message="done")
        click.end("allow")
        unsent = click.answer("yes")["unsent"]
        assert unsent == {"data": "done", "origin": cyclr_world.cyclr.service}
        sealed = press(cyclr_world)
        sealed.end("allow")
        assert sealed.answer("yes")["unsent"] is None


@pytest.mark.both_databases
def test_an_allow_after_cancel_is_a_late_success(cyclr_world: CyclrWorld) -> None:
    """In a window that could not be closed; the status stays, and nobody is named."""
    click = press(cyclr_world)
    assert told(click.cancel()) == ("cancelled", None, False)
    click.end("allow")
    late = cyclr_world.read(click.attempt)
    assert told(late) == ("cancelled", None, False)
    assert late["late_success"]["external_account"] is None
