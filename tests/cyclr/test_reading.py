"""Looking changes nothing: no account is made, no access token spent, and the answer is "disconnected"."""

from __future__ import annotations

import secrets

import pytest

from tests.support.cyclr.world import CyclrWorld

NOT_CHANGING = {"get_connector", "list_installed", "get_installed", "get_account", "list_accounts"}


UNKNOWN = [(404, 404), (400, 400), (401, 404), (401, 401), (403, 403)]
"""Statuses for an account that does not exist: in a header, and in the path, where 404 is documented."""


@pytest.fixture(params=UNKNOWN, ids=str)
def world(cyclr_world: CyclrWorld, request: pytest.FixtureRequest) -> CyclrWorld:
    """One whose account does not exist, and whose access token is a good one."""
    other = cyclr_world.cyclr
    other.add_account("warm")
    cyclr_world.server("GET", "/v1/connections?account=warm")
    other.forget_what_was_asked()
    other.habits.unknown_account, other.habits.unknown_account_path = request.param
    return cyclr_world


def changes(world: CyclrWorld) -> dict[str, int]:
    """What was asked that is more than a look."""
    return {route: number for route, number in world.cyclr.counts().items() if route not in NOT_CHANGING}


def test_a_page_view(world: CyclrWorld) -> None:
    """Each connector is disconnected."""
    told = world.page("GET", "/v1/config", world.session()).json()["connectors"]

    assert {connector["state"] for connector in told} == {"disconnected"}
    assert (changes(world), world.cyclr.accounts) == ({}, {"warm": "warm"})


def test_the_connections_of_an_account_with_a_typing_error(world: CyclrWorld) -> None:
    """There are none, and there is no such account afterwards."""
    found = world.server("GET", "/v1/connections?account=typo")

    assert (found.status_code, found.json()) == (200, {"connections": []})
    assert (changes(world), world.cyclr.accounts) == ({}, {"warm": "warm"})


def test_an_attempt_whose_account_is_gone(world: CyclrWorld) -> None:
    """It goes on waiting; nobody makes the account again."""
    cyclr = world.cyclr
    attempt = world.begin(world.session(), "crm")
    assert world.launch(attempt["launch_token"]).status_code == 303
    del cyclr.accounts[world.account]
    cyclr.forget_what_was_asked()

    assert world.read(attempt["id"])["status"] == "launched"
    assert changes(world) == {}
    assert world.account not in cyclr.accounts


class TestTokens:
    """Whose fault a refusal is."""

    @pytest.fixture(autouse=True)
    def usual(self, world: CyclrWorld) -> None:
        """The account does exist."""
        world.cyclr.add_account(world.account)

    def test_a_token_that_was_revoked_is_renewed_once(self, world: CyclrWorld) -> None:
        """For an account that exists."""
        world.cyclr.revoke_bearers()
        assert world.server("GET", f"/v1/connections?account={world.account}").status_code == 200
        assert len(world.cyclr.asked("token")) == 1

    def test_a_revoked_token_says_nothing_about_an_account(self, world: CyclrWorld) -> None:
        """For an account that does not exist it is renewed once, too, and no account is made."""
        world.cyclr.revoke_bearers()
        nobody = "typo-" + secrets.token_hex(4)
        assert world.server("GET", f"/v1/connections?account={nobody}").json() == {"connections": []}
        assert len(world.cyclr.asked("token")) == 1
        assert nobody not in world.cyclr.accounts
