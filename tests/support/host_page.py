"""The demo's host page as a user and a tester see it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import requests
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    JavascriptException,
    NoSuchElementException,
    NoSuchFrameException,
    NoSuchWindowException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement

from bff.testing import press
from tests.support.stack import Stack

T = TypeVar("T")
PATIENCE = 40.0
FIRST_LOOK, LONGEST_REST, SLOWER = 0.03, 0.3, 1.4
"""Seconds from one look at a page to the next: at first, at most, and how many times as long each is."""

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

    def sign_in(self, name: str = "Ada", path: str = "/") -> None:
        """Open the page as somebody who has signed in there, with nothing left of whoever used it before.

        The page's own form is pressed by the demo's test: two pages fewer for each of the others.
        """
        cookie = self._signed_in(name.lower())
        # Cookies can be set on any page of a host: this one starts nothing, and no answer is on its way.
        self.driver.get(f"{self.stack.host}/nowhere")
        # Chromium gives a new tab the focus, which a user's window has, once something in it was pressed.
        # WebKit may still be exchanging the page that it says it has opened.
        self.wait(lambda: self.driver.find_element(By.TAG_NAME, "body").click() or True)
        self.driver.delete_all_cookies()
        self.driver.add_cookie({"name": "demo", "value": cookie, "path": "/", "sameSite": "Lax"})
        self.driver.get(self.stack.host + path)
        self.wait(lambda: self.driver.find_elements(By.TAG_NAME, "hitchpost-connect"))

    def _signed_in(self, user: str) -> str:
        answer = requests.post(
            f"{self.stack.host}/sign-in",
            data={"user": user},
            headers={"Origin": self.stack.host},
            allow_redirects=False,
            timeout=PATIENCE,
        )
        return answer.cookies["demo"]

    def front(self) -> None:
        """Look at the host page, inside its frame if it is in one."""
        self.driver.switch_to.window(self.window)
        if self.framed:
            self.driver.switch_to.frame(0)

    def wait(
        self, condition: Callable[[], T | None], *, seconds: float = PATIENCE, every: float = FIRST_LOOK
    ) -> T:
        """Wait until the condition holds; its value. Looks first after ``every`` so many seconds.

        Each look costs browser and driver some processor time, so those who wait for long look less often.
        """
        # Between two pages, Firefox answers a script with the first of these, WebKit with the third.
        ignored = (
            JavascriptException,
            NoSuchElementException,
            NoSuchFrameException,
            NoSuchWindowException,
            StaleElementReferenceException,
        )
        ends, rest = time.monotonic() + seconds, every
        while True:
            with contextlib.suppress(*ignored):
                if found := condition():
                    return found
            if time.monotonic() > ends:
                raise TimeoutException(f"not within {seconds:g} seconds")
            time.sleep(rest)
            rest = max(every, min(rest * SLOWER, LONGEST_REST))

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
        self.click(name)
        popup = self.wait(lambda: next(iter(set(self.driver.window_handles) - before), None))
        self.driver.switch_to.window(popup)
        return popup

    def click(self, name: str) -> None:
        """Press the visible button of this name, found once more if the page has moved or replaced it."""
        self.wait(lambda: self._pressed(name))

    def _pressed(self, name: str) -> bool:
        found: WebElement | None = self.driver.execute_script(FIND_BUTTON, name)
        if found is None:
            return False
        try:
            found.click()
        except ElementClickInterceptedException:
            return False
        return True

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
