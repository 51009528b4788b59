"""The demo's host page as a user and a tester see it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from selenium.common.exceptions import (
    JavascriptException,
    NoSuchElementException,
    NoSuchFrameException,
    NoSuchWindowException,
    StaleElementReferenceException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from bff.testing import press
from tests.support.stack import Stack

T = TypeVar("T")
PATIENCE = 40.0

FIND_BUTTON = """
const wanted = arguments[0];
const buttons = [...document.querySelectorAll("button")];
for (const element of document.querySelectorAll("hitchpost-connect")) {
  buttons.push(...(element.shadowRoot?.querySelectorAll("button") ?? []));
}
const nameOf = (button) => {
  const slots = [...button.querySelectorAll("slot")];
  const slotted = slots.flatMap((slot) => slot.assignedNodes({ flatten: true }));
  const text = [button, ...slotted].map((node) => node.textContent).join(" ");
  return (button.getAttribute("aria-label") ?? text).trim();
};
const find = (name, among = buttons) =>
  among.find((button) => nameOf(button) === name && button.getClientRects().length > 0);
if (find(wanted)) return find(wanted);
// What is connected already is connected again by another name: that of the whole element says of what.
for (const element of document.querySelectorAll("hitchpost-connect")) {
  const label = element.shadowRoot?.querySelector("[role=group]")?.ariaLabel;
  const inside = [...(element.shadowRoot?.querySelectorAll("button") ?? [])];
  if (`Connect ${label}` === wanted) return find("Reconnect", inside) ?? null;
}
return null;
"""


class HostPage:
    """One browser on the demo's host page."""

    def __init__(self, driver: WebDriver, stack: Stack) -> None:
        self.driver = driver
        self.stack = stack
        self.window = driver.current_window_handle
        self.framed = False

    def sign_in(self, name: str = "Ada") -> None:
        """Open the page and sign in."""
        self.driver.get(self.stack.host)
        self.wait(self._is_signed_out)
        self.button(f"Sign in as {name}").click()
        self.wait(lambda: self.driver.find_elements(By.TAG_NAME, "hitchpost-connect"))

    def _is_signed_out(self) -> bool:
        """Delete the cookies and load the page. False if a late answer set the old cookie again."""
        self.driver.delete_all_cookies()
        self.driver.get(self.stack.host)
        return "Sign in as" in self.source()

    def front(self) -> None:
        """Look at the host page, inside its frame if it is in one."""
        self.driver.switch_to.window(self.window)
        if self.framed:
            self.driver.switch_to.frame(0)

    def wait(self, condition: Callable[[], T | None], *, seconds: float = PATIENCE, every: float = 0.05) -> T:
        """Wait until the condition holds, looking ``every`` so many seconds; its value."""
        # Between two pages, Firefox answers a script with the first of these, WebKit with the third.
        ignored = (
            JavascriptException,
            NoSuchElementException,
            NoSuchFrameException,
            NoSuchWindowException,
            StaleElementReferenceException,
        )
        waiting = WebDriverWait(self.driver, seconds, poll_frequency=every, ignored_exceptions=ignored)
        return waiting.until(lambda _: condition())  # type: ignore[return-value]

    def source(self) -> str:
        """The markup of the page in front. Between two pages it fails in a way that ``wait`` passes over."""
        found: str | None = self.driver.execute_script("return document.documentElement.outerHTML")
        if found is None:
            raise JavascriptException("the page went while it was read")  # Firefox says nothing then.
        return found

    def button(self, name: str) -> WebElement:
        """The visible button of this name, in the page or in one of the elements."""
        return self.wait(lambda: self.driver.execute_script(FIND_BUTTON, name))

    def connect(self, connector: str = "Sandbox CRM") -> str:
        """Click Connect; the handle of the popup, which is then in front."""
        return self.choose(f"Connect {connector}")

    def choose(self, name: str) -> str:
        """Press a button that opens a window; its handle, and it is in front then."""
        before = set(self.driver.window_handles)
        self.button(name).click()
        popup = self.wait(lambda: next(iter(set(self.driver.window_handles) - before), None))
        self.driver.switch_to.window(popup)
        return popup

    def decide(self, name: str) -> None:
        """Press a button of the third party's page in the popup, and come back to the host page."""
        self.press_in_popup(name)
        self.front()

    def press_in_popup(self, name: str) -> None:
        """Press a button of the page in front."""
        press(self.driver, name, patience=PATIENCE)

    def status(self, *words: str, seconds: float = PATIENCE) -> str:
        """Wait until the page's status is one of ``words``."""
        self.front()
        return self.wait(
            lambda: next((word for word in words if word == self.status_now()), None), seconds=seconds
        )

    def status_now(self) -> str:
        """The text of the page's one element with the role status."""
        return self.driver.find_element(By.CSS_SELECTOR, '[role="status"]').text

    def result(self) -> dict[str, Any]:
        """The raw result that the page shows."""
        found: dict[str, Any] = json.loads(self.driver.find_element(By.ID, "result").text)
        return found

    def popup_is_gone(self, popup: str) -> bool:
        """Wait until the popup has been closed."""
        return self.wait(lambda: popup not in self.driver.window_handles)
