"""Keyboard only: a connection is made, asked about, kept and ended, and the list is gone through."""

from __future__ import annotations

from typing import Final

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver

from tests.support.host_page import HostPage
from tests.support.stack import Stack

MOST: Final = 60
"""So many times at most Tab is pressed: more, and the page is a trap."""
END_ALL: Final = """
const done = arguments[0];
const ended = (all) => Promise.all(all.map(({ id }) => Hitchpost.disconnect(id)));
Hitchpost.connections().then(ended).then(done, done);
"""
FOCUSED: Final = """
let element = document.activeElement;
while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
const { outlineStyle, outlineWidth } = getComputedStyle(element);
const { top, left } = element.getBoundingClientRect();
const ringed = outlineStyle !== "none" && parseFloat(outlineWidth) >= 1;
return { name: element.innerText?.trim() ?? "", ringed, top: top + scrollY, left };
"""
ADD_LIST: Final = """
const list = document.body.appendChild(document.createElement("hitchpost-connections"));
const last = document.body.appendChild(document.createElement("button"));
last.textContent = "The end";
return list;
"""
DRAWN: Final = """
const list = document.querySelector("hitchpost-connections");
const rows = list.shadowRoot?.querySelectorAll("hitchpost-connect") ?? [];
return rows.length > 1 && [...rows].every((row) => row.shadowRoot.querySelector("[part=account]"));
"""


NAMES: Final = """
const root = document.querySelector("hitchpost-connect[connector=sandbox]").shadowRoot;
const shown = [...root.querySelectorAll("button")].filter((button) => button.checkVisibility());
return shown.map((button) => button.innerText.trim());
"""


def test_connect_keep_and_disconnect_by_the_keyboard(driver: WebDriver, stack: Stack) -> None:
    """Tab, Enter, Space and Escape do what they say; where the focus is can always be seen.

    Through a list Tab goes down the rows, in the order in which it is read, and out at its end.
    """
    page = HostPage(driver, stack)
    page.sign_in("Grace")
    driver.execute_async_script(END_ALL)
    driver.get(stack.host)
    page.button("Connect Sandbox CRM")

    tab_to(page, "Connect Sandbox CRM")
    before = set(driver.window_handles)
    press(page, Keys.ENTER)
    popup = page.wait(lambda: next(iter(set(driver.window_handles) - before), None))
    driver.switch_to.window(popup)
    page.decide("Allow")
    page.status("connected")
    driver.get(stack.host)
    page.wait(lambda: "Reconnect" in driver.execute_script(NAMES))

    assert tab_to(page, "Disconnect")[-2:] == ["Reconnect", "Disconnect"]
    press(page, Keys.SPACE)
    page.wait(lambda: focused(page) == "Keep it")
    press(page, Keys.ESCAPE)
    page.wait(lambda: focused(page) == "Disconnect")
    press(page, Keys.ENTER)
    page.wait(lambda: focused(page) == "Keep it")
    ActionChains(driver).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()
    page.wait(lambda: focused(page) == "Yes, disconnect")
    press(page, Keys.ENTER)
    page.wait(lambda: focused(page) == "Connect Sandbox CRM")

    driver.execute_script(ADD_LIST)
    page.wait(lambda: driver.execute_script(DRAWN))
    tab_to(page, "The end")
    places = page_places(page)
    assert places == sorted(places)


def page_places(page: HostPage) -> list[tuple[int, int]]:
    """Where Tab leads, backwards from the end through the list, as the eye goes."""
    found: list[tuple[int, int]] = []
    for _ in range(MOST):
        ActionChains(page.driver).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()
        told = page.driver.execute_script(FOCUSED)
        if not inside_list(page):
            return found
        assert told["ringed"], told
        found.insert(0, (round(told["top"] / 8), round(told["left"])))
    raise AssertionError("Tab does not leave the list")


def inside_list(page: HostPage) -> bool:
    """Whether the focus is in the list."""
    return bool(
        page.driver.execute_script("return document.activeElement.localName === 'hitchpost-connections'")
    )


def press(page: HostPage, key: str) -> None:
    """Press a key."""
    ActionChains(page.driver).send_keys(key).perform()


def focused(page: HostPage) -> str:
    """The name of what has the focus."""
    return str(page.driver.execute_script(FOCUSED)["name"])


def tab_to(page: HostPage, name: str) -> list[str]:
    """Press Tab until the focus is on what has this name; the names on the way."""
    names: list[str] = []
    for _ in range(MOST):
        press(page, Keys.TAB)
        told = page.driver.execute_script(FOCUSED)
        names.append(told["name"])
        assert told["ringed"] or not told["name"], told
        if told["name"] == name:
            return names
    raise AssertionError(f"Tab does not come to {name}: {names}")
