"""Chromium as a user has it, and as often as wanted as new: each visit in a profile of its own."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import requests
import websocket
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

from bench.tracing import CATEGORIES, Trace
from tests.support.browsers import open_browser

BRIEF = 20
"""Milliseconds that the pointer takes to a button."""


@dataclass
class Chromium:
    """A running Chromium, and the door by which it makes new profiles."""

    driver: WebDriver
    door: websocket.WebSocket
    numbers: count[int]

    @contextlib.contextmanager
    def visitor(self) -> Iterator[WebDriver]:
        """Somebody new: nothing in any cache, no connection open. All windows are closed at the end."""
        first = self.driver.current_window_handle
        profile = self._call("Target.createBrowserContext")["browserContextId"]
        try:
            page = {"url": "about:blank", "browserContextId": profile, "newWindow": True}
            self.driver.switch_to.window(self._call("Target.createTarget", **page)["targetId"])
            yield self.driver
        finally:
            self._call("Target.disposeBrowserContext", browserContextId=profile)
            self.driver.switch_to.window(first)

    @contextlib.contextmanager
    def traced(self) -> Iterator[Trace]:
        """What Chromium does meanwhile. The trace is filled when the block has ended."""
        trace = Trace([])
        config = {"includedCategories": list(CATEGORIES), "excludedCategories": ["*"]}
        self._call("Tracing.start", transferMode="ReportEvents", traceConfig=config)
        yield trace
        self._send("Tracing.end")
        while (told := json.loads(self.door.recv())).get("method") != "Tracing.tracingComplete":
            if told.get("method") == "Tracing.dataCollected":
                trace.events.extend(told["params"]["value"])

    def _send(self, method: str, **parameters: Any) -> int:
        number = next(self.numbers)
        self.door.send(json.dumps({"id": number, "method": method, "params": parameters}))
        return number

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = self._send(method, **parameters)
        while (told := json.loads(self.door.recv())).get("id") != number:
            pass
        if "error" in told:
            raise RuntimeError(f"{method}: {told['error']}")
        found: dict[str, Any] = told["result"]
        return found


@contextlib.contextmanager
def chromium() -> Iterator[Chromium]:
    """Headless, its popup blocker on."""
    with open_browser("chromium") as driver:
        address = driver.capabilities["goog:chromeOptions"]["debuggerAddress"]
        told = requests.get(f"http://{address}/json/version", timeout=10).json()
        door = websocket.create_connection(told["webSocketDebuggerUrl"], suppress_origin=True)
        try:
            yield Chromium(driver, door, count(1))
        finally:
            door.close()


def hover(driver: WebDriver, selector: str) -> None:
    """Move the pointer onto an element."""
    _pointer(driver, selector).perform()


def click(driver: WebDriver, selector: str) -> None:
    """Move the pointer onto an element, and press it."""
    _pointer(driver, selector).click().perform()


def close_others(driver: WebDriver) -> None:
    """Close all windows of this visitor's but the one in front."""
    page = driver.current_window_handle
    for handle in driver.window_handles[1:]:
        if handle != page:
            driver.switch_to.window(handle)
            driver.close()
    driver.switch_to.window(page)


def _pointer(driver: WebDriver, selector: str) -> ActionChains:
    element = driver.find_element(By.CSS_SELECTOR, selector)
    # Ours has its button inside, and beside it what the account has connected.
    inside = driver.execute_script("return arguments[0].shadowRoot?.querySelector('[part=button]')", element)
    return ActionChains(driver, duration=BRIEF).move_to_element(inside or element)
