"""The stand-in is strict, and a whole Connect click works against it."""

from __future__ import annotations

import pytest
import requests

from tests.support.cyclr.world import CRM, CyclrWorld
from tests.support.world import CLIENT_ID, CLIENT_SECRET


def test_a_connect_click_of_an_account_that_exists_ends_connected(cyclr_world: CyclrWorld) -> None:
    cyclr_world.cyclr.add_account(cyclr_world.account)

    attempt = cyclr_world.connect(cyclr_world.session(), "crm")

    assert cyclr_world.read(attempt)["status"] == "connected"
    assert [item.release.id for item in cyclr_world.cyclr.of(cyclr_world.account)] == [CRM]


@pytest.mark.parametrize(("habit", "ends"), [("page", 400), ("bare", 200)])
def test_a_user_who_denies_connects_nothing(cyclr_world: CyclrWorld, habit: str, ends: int) -> None:
    cyclr_world.cyclr.add_account(cyclr_world.account)
    cyclr_world.cyclr.habits.on_denial = habit  # type: ignore[assignment]
    attempt = cyclr_world.begin(cyclr_world.session(), "crm")
    launched = cyclr_world.launch(attempt["launch_token"])

    page = cyclr_world.sign_in(launched.headers["Location"], "deny")

    assert page.status_code == ends
    assert not any(item.authenticated for item in cyclr_world.cyclr.of(cyclr_world.account))


def test_it_gives_tokens_for_the_right_secret_only(cyclr_world: CyclrWorld) -> None:
    asked = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    url = f"{cyclr_world.cyclr.api}/oauth/token"

    assert len(requests.post(url, asked, timeout=10).json()["access_token"]) == 64
    assert requests.post(url, {**asked, "client_secret": "x"}, timeout=10).status_code == 400


def test_a_sign_in_token_is_good_for_one_visit(cyclr_world: CyclrWorld) -> None:
    cyclr_world.cyclr.add_account(cyclr_world.account)
    attempt = cyclr_world.begin(cyclr_world.session(), "crm")
    url = cyclr_world.launch(attempt["launch_token"]).headers["Location"]

    first, second = (requests.get(url, timeout=10) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 403)
