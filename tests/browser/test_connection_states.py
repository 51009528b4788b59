"""What an element shows of a connection: after a reload, in another tab, and once it has ended."""

from __future__ import annotations

from typing import Any

from selenium.webdriver.remote.webdriver import WebDriver

from tests.support.host_page import HostPage
from tests.support.stack import Stack

LOOKED_AT = 5.0
"""A tab that is looked at again knows within so many seconds."""

SHOWN = """
const element = document.querySelector("hitchpost-connect[connector=sandbox]");
const parts = element.shadowRoot.querySelectorAll("[part=account], [part=status]");
const texts = [...parts].map((part) => part.innerText);
const buttons = [...element.shadowRoot.querySelectorAll("button")];
const names = buttons.filter((button) => button.checkVisibility());
return [element.getAttribute("state"), texts.join("\\n"), names.map((button) => button.innerText.trim())];
"""
PRESS = """
const root = document.querySelector("hitchpost-connect[connector=sandbox]").shadowRoot;
[...root.querySelectorAll("button")].find((button) => button.innerText.trim() === arguments[0]).click();
"""


def test_connected_as_whom_in_every_tab_until_one_ends_it(driver: WebDriver, stack: Stack) -> None:
    """Connect, reload, a second tab; disconnect there: the first one knows when it is looked at."""
    page = HostPage(driver, stack)
    page.sign_in("Grace")
    page.connect()
    page.decide("Allow")
    page.status("connected")
    wait_for(page, "connected")

    driver.refresh()
    told = wait_for(page, "connected")
    account = driver.execute_script(
        "return Hitchpost.connections().then((all) => all.find((one) => one.connector === 'sandbox'))"
    )
    assert account["external_account"] in told[1]
    assert told[2] == ["Reconnect", "Disconnect"]

    driver.switch_to.new_window("tab")
    second = HostPage(driver, stack)
    driver.get(stack.host)
    assert account["external_account"] in wait_for(second, "connected")[1]
    driver.execute_script("addEventListener('hitchpost:disconnected', (e) => { window.ended = e.detail; })")
    driver.execute_script(PRESS, "Disconnect")
    asked = wait_for(second, "connected", "Yes, disconnect", "Keep it")
    assert account["external_account"] in asked[1]
    driver.execute_script(PRESS, "Yes, disconnect")
    assert wait_for(second, "idle", "Connect Sandbox CRM")[1] == ""
    assert driver.execute_script("return window.ended.connection") == account["id"]

    page.front()
    wait_for(page, "idle", "Connect Sandbox CRM", seconds=LOOKED_AT)


def wait_for(page: HostPage, state: str, *names: str, seconds: float = 20) -> Any:
    """Wait until the element is in this state, with buttons of these names: its state, texts and names."""

    def shown() -> Any:
        found = page.driver.execute_script(SHOWN)
        return found if found[0] == state and (not names or found[2] == list(names)) else None

    return page.wait(shown, seconds=seconds)
