"""Whole Connect clicks of accounts that are not as a demo has them."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

import pytest

from bff.wiring import LOOK_UPS_AT_ONCE
from tests.support.cyclr.world import CRM, CyclrWorld


def clicked(world: CyclrWorld, connector: str = "crm") -> tuple[int, dict[str, object]]:
    """Press Connect, and allow: the launch's status, and the attempt."""
    attempt = world.begin(world.session(), connector)
    launched = world.launch(attempt["launch_token"])
    if launched.status_code == 303:
        world.sign_in(launched.headers["Location"])
    return launched.status_code, world.read(attempt["id"])


@pytest.mark.parametrize(("status", "in_path"), [(404, 404), (400, 400), (401, 404), (401, 401), (403, 403)])
def test_the_first_click_of_an_account_that_does_not_exist_yet(
    cyclr_world: CyclrWorld, status: int, in_path: int
) -> None:
    """However the partner service answers to it, and although it takes its time to make it."""
    habits = cyclr_world.cyclr.habits
    habits.unknown_account, habits.slow = status, {"create_account": 0.2}
    habits.unknown_account_path = in_path

    assert clicked(cyclr_world)[1]["status"] == "connected"
    assert len(cyclr_world.cyclr.of(cyclr_world.account)) == 1
    assert len(cyclr_world.cyclr.asked("create_account")) <= 2


@pytest.mark.parametrize("first", ["draft", "deprecated"])
def test_an_account_that_has_an_older_release_keeps_it(cyclr_world: CyclrWorld, first: str) -> None:
    """It reconnects what it has; a draft that is listed first changes nothing."""
    cyclr, account = cyclr_world.cyclr, cyclr_world.account
    crm = cyclr.releases.pop(0)
    older = cyclr.release(CRM - 1, crm.name, "0.9", status="Deprecated")
    cyclr.release(CRM + 1, crm.name, "2.0", status="Draft")
    cyclr.releases.append(crm)
    if first == "draft":
        cyclr.releases.reverse()
    had = cyclr.install(account, older)

    assert clicked(cyclr_world)[1]["connection"] == {
        "id": str(had.id),
        "connector": "crm",
        "external_account": None,
    }
    assert cyclr.of(account) == [had]


@pytest.mark.parametrize("listed", [True, False])
def test_of_several_installs_the_one_in_use_is_reconnected_and_operators_are_told(
    cyclr_world: CyclrWorld, capfd: pytest.CaptureFixture[str], listed: bool
) -> None:
    """The same one at every click; also where lists do not say which that is."""
    cyclr, account = cyclr_world.cyclr, cyclr_world.account
    cyclr.habits.lists_say_authenticated = listed
    crm = cyclr.releases[0]
    cyclr.install(account, crm)
    used = cyclr.install(account, crm, "Second", authenticated=True)
    cyclr.install(account, crm, "Third")
    attempt = cyclr_world.begin(cyclr_world.session(), "crm")

    url = cyclr_world.launch(attempt["launch_token"]).headers["Location"]

    assert f"id={used.id}&" in url
    assert "several account connectors" in capfd.readouterr().out


@pytest.mark.parametrize("listed", [True, False])
def test_an_account_with_many_installs_and_large_icons(cyclr_world: CyclrWorld, listed: bool) -> None:
    """A page of icons is larger than any answer may be, also where lists do not tell states."""
    cyclr, account = cyclr_world.cyclr, cyclr_world.account
    cyclr.habits.lists_say_authenticated = listed
    for number in range(120):
        cyclr.install(account, cyclr.releases[1], f"Sheets {number}")
    cyclr.habits.icon_bytes = 90 * 1024

    assert clicked(cyclr_world)[1]["status"] == "connected"


@pytest.mark.parametrize("longest", [3, 7])
@pytest.mark.parametrize("total_pages", [True, False])
def test_pages_that_are_shorter_than_asked(cyclr_world: CyclrWorld, longest: int, total_pages: bool) -> None:
    """The account's own install is on the last of them, and is found."""
    cyclr, account = cyclr_world.cyclr, cyclr_world.account
    cyclr.habits.longest_page, cyclr.habits.total_pages = longest, total_pages
    for number in range(20):
        cyclr.install(account, cyclr.releases[1], f"Sheets {number}")
    had = cyclr.install(account, cyclr.releases[0])

    assert clicked(cyclr_world)[1]["connection"] is not None
    assert [item for item in cyclr.of(account) if item.release.id == CRM] == [had]


def test_a_list_that_answers_its_last_page_again_ends(cyclr_world: CyclrWorld) -> None:
    """Some lists go back to it when there is no page of a number: what is known already is no news."""
    cyclr, account = cyclr_world.cyclr, cyclr_world.account
    cyclr.habits.total_pages, cyclr.habits.repeats_last_page = False, True
    had = cyclr.install(account, cyclr.releases[0])

    assert clicked(cyclr_world)[1]["status"] == "connected"
    assert cyclr.of(account) == [had]
    assert len(cyclr.asked("list_installed", account)) <= 4


def test_accounts_are_not_made_where_that_is_forbidden(
    forbidding_world: CyclrWorld, capfd: pytest.CaptureFixture[str]
) -> None:
    """The user reads that this is not available; operators read which account, and which setting."""
    world = forbidding_world
    body = {
        "user": {"id": "ada"},
        "account": {"id": world.account},
        "connector": "crm",
        "target_origin": "https://app.example",
    }

    refused = world.server("POST", "/v1/sign-in-urls", json=body)
    status, attempt = clicked(world)

    assert (refused.status_code, refused.json()["code"]) == (422, "account_unknown")
    assert "HITCHPOST_PARTNER_CREATE_ACCOUNTS" in refused.json()["detail"]
    assert (status, attempt["status"], attempt["error"]["code"]) == (422, "failed", "connector_unavailable")  # type: ignore[index]
    assert world.cyclr.accounts == {}
    world.cyclr.add_account(world.account)
    assert clicked(world)[1]["status"] == "connected"


def test_look_ups_at_once_are_bounded() -> None:
    """A product of a hundred connectors is no flood."""
    assert LOOK_UPS_AT_ONCE <= 16


@pytest.mark.parametrize(
    "account", ["a/b", "../1", "100%", "a%2Fb", "a?b=c#d", "Ünïcödé-日本-😀", "a b", "A+B", "a;b,c", "'\"\\"]
)
def test_an_account_is_called_whatever_its_host_calls_it(cyclr_world: CyclrWorld, account: str) -> None:
    """The partner service has it under the same id, and the host's server finds it."""
    world = replace(cyclr_world, account=account)

    assert clicked(world)[1]["status"] == "connected"
    assert [*world.cyclr.accounts] == [account]
    found = world.server("GET", f"/v1/connections?{urlencode({'account': account})}").json()["connections"]
    assert [connection["state"] for connection in found] == ["connected"]
