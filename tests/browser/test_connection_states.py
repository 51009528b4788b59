"""What an element shows of a connection: after a reload, in another tab, lost, and once it has ended."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from selenium.webdriver.remote.webdriver import WebDriver

from bff.demo.plan import SANDBOX_KEY
from tests.support import lost_grants
from tests.support.cyclr.stack import CyclrStack
from tests.support.host_page import HostPage
from tests.support.stack import Stack

LOOKED_AT = 5.0
"""A tab that is looked at again knows within so many seconds."""

SHOWN = """
const element = document.querySelector(`hitchpost-connect[connector=${arguments[0]}]`);
const parts = element.shadowRoot.querySelectorAll("[part=account], [part=status]");
const texts = [...parts].map((part) => part.innerText);
const buttons = [...element.shadowRoot.querySelectorAll("button")];
const names = buttons.filter((button) => button.checkVisibility());
return [element.getAttribute("state"), texts.join("\\n"), names.map((button) => button.innerText.trim())];
"""
PRESS = """
const root = document.querySelector(`hitchpost-connect[connector=${arguments[0]}]`).shadowRoot;
[...root.querySelectorAll("button")].find((button) => button.innerText.trim() === arguments[1]).click();
"""


@pytest.mark.one_engine
def test_connected_as_whom_in_every_tab_until_one_ends_it(driver: WebDriver, stack: Stack) -> None:
    """Connect, reload, a second tab; disconnect there: the first one knows when it is looked at."""
    page = HostPage(driver, stack)
    page.sign_in("Grace")
    connect(page)

    driver.refresh()
    told = wait_for(page, "connected")
    account = connection_of(page)
    assert account["external_account"] in told[1]
    assert told[2] == ["Reconnect", "Disconnect"]

    driver.switch_to.new_window("tab")
    second = HostPage(driver, stack)
    driver.get(stack.host)
    assert account["external_account"] in wait_for(second, "connected")[1]
    end(second, account["external_account"])
    assert wait_for(second, "idle", "Connect Sandbox CRM")[1] == ""
    assert driver.execute_script("return window.ended.connection") == account["id"]

    page.front()
    wait_for(page, "idle", "Connect Sandbox CRM", seconds=LOOKED_AT)


@pytest.mark.one_engine
def test_a_grant_that_is_taken_away_shows_and_is_told_until_a_new_sign_in(page: HostPage) -> None:
    """The third party revokes it: the element asks for a sign-in, the server hears why; then all is well."""
    connect(page)
    connection = connection_of(page)
    take_away(page.stack, connection["id"])
    lost = page.wait(lambda: told_of(page.stack, connection, "needs_reconnect"))
    assert lost["reason"] == "revoked"

    page.driver.refresh()
    shown = wait_for(page, "needs-reconnect", "Reconnect", "Disconnect")
    assert connection["external_account"] in shown[1]
    assert "Needs attention" in shown[1]

    page.connect()  # The button is named Reconnect now.
    page.decide("Allow")
    assert page.status("connected") == "connected"
    assert connection["external_account"] in wait_for(page, "connected", "Reconnect", "Disconnect")[1]
    again = page.wait(lambda: told_of(page.stack, lost, "reconnected"))
    assert (again["sequence"], again["state"]) == (lost["sequence"] + 1, "connected")


@pytest.mark.repetition
def test_with_one_flag_the_same_is_shown_as_far_as_it_tells(
    cyclr_page: HostPage, cyclr_stack: CyclrStack
) -> None:
    """Cyclr tells whether it is signed in: connected, of nobody's account; lost; connected again; ended."""
    page, driver = cyclr_page, cyclr_page.driver
    connect(page, "crm")
    driver.refresh()
    wait_for(page, "connected", "Reconnect", "Disconnect", connector="crm")
    connection = connection_of(page, "crm")
    assert connection["external_account"] is None

    (installed,) = cyclr_stack.cyclr.of(cyclr_stack.account)
    installed.authenticated = False
    cyclr_stack.get(f"/v1/connections?account={cyclr_stack.account}")  # Somebody looks.
    driver.refresh()
    wait_for(page, "needs-reconnect", "Reconnect", "Disconnect", connector="crm")
    lost = page.wait(lambda: told_of(cyclr_stack, connection, "needs_reconnect"))
    assert lost["reason"] == "unauthenticated"

    page.connect()  # The button is named Reconnect now.
    page.decide("Allow")
    wait_for(page, "connected", connector="crm")
    again = page.wait(lambda: told_of(cyclr_stack, lost, "reconnected"))
    assert again["sequence"] == lost["sequence"] + 1

    driver.switch_to.new_window("tab")
    second = HostPage(driver, cyclr_stack)
    driver.get(cyclr_stack.host)
    wait_for(second, "connected", connector="crm")
    end(second, "Sandbox CRM", "crm")
    wait_for(second, "idle", "Connect Sandbox CRM", connector="crm")
    assert not installed.authenticated
    page.front()
    wait_for(page, "idle", "Connect Sandbox CRM", seconds=LOOKED_AT, connector="crm")


def connect(page: HostPage, connector: str = "sandbox") -> None:
    """A whole click that ends well."""
    page.connect()
    page.decide("Allow")
    page.status("connected")
    wait_for(page, "connected", connector=connector)


def connection_of(page: HostPage, connector: str = "sandbox") -> dict[str, Any]:
    """What the page's own script is told of the connection."""
    script = "return Hitchpost.connections().then((all) => all.find((one) => one.connector === arguments[0]))"
    found: dict[str, Any] = page.driver.execute_script(script, connector)
    return found


def end(page: HostPage, account: str, connector: str = "sandbox") -> None:
    """Disconnect, and say so twice."""
    driver = page.driver
    driver.execute_script("addEventListener('hitchpost:disconnected', (e) => { window.ended = e.detail; })")
    driver.execute_script(PRESS, connector, "Disconnect")
    asked = wait_for(page, "connected", "Yes, disconnect", "Keep it", connector=connector)
    assert f"Disconnect {account}?" in asked[1]
    driver.execute_script(PRESS, connector, "Yes, disconnect")


def take_away(stack: Stack, connection: str) -> None:
    """The third party ends the grant, and the host's server finds its access token refused."""
    plan = json.loads((stack.folder / "demo.json").read_text())
    url = f"{stack.bff}/v1/connections/{connection}/token"
    asked: dict[str, Any] = {
        "params": {"account": stack.account},
        "headers": {"Authorization": f"Bearer {stack.secret_key}"},
        "timeout": 20,
    }
    access_token = requests.post(url, **asked).json()["access_token"]
    assert lost_grants.revoke(stack.sandbox, access_token, SANDBOX_KEY).ok
    client = plan["partner_client_id"], plan["partner_client_secret"]
    token = lost_grants.api_token(stack.partner, *client).json()["access_token"]
    assert lost_grants.report(stack.partner, token, stack.account, connection).status_code == 409
    assert requests.post(url, **asked).json()["code"] == "needs_reconnect"


def told_of(stack: Stack, before: dict[str, Any], event: str) -> dict[str, Any] | None:
    """The event of this name, later than ``before``, that the host's server has taken for genuine."""
    events = requests.get(f"{stack.host}/told", timeout=20).json()
    found = (each["data"] for each in events if each["type"] == f"connection.{event}")
    newer = (each for each in found if each["id"] == before["id"] and each["sequence"] > before["sequence"])
    return next(newer, None)


def wait_for(page: HostPage, state: str, *names: str, seconds: float = 20, connector: str = "sandbox") -> Any:
    """Wait until the element is in this state, with buttons of these names: its state, texts and names."""

    def shown() -> Any:
        found = page.driver.execute_script(SHOWN, connector)
        return found if found[0] == state and (not names or found[2] == list(names)) else None

    return page.wait(shown, seconds=seconds)
