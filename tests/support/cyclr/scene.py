"""An ending on the demo's page, with the strict stand-in for Cyclr behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

from tests.support.cyclr.control import Denial
from tests.support.cyclr.stack import CyclrStack
from tests.support.scene import Scene, Told
from tests.support.world import HOST, SECRET_KEY

NAMES: Final = {
    "sandbox": "Sandbox CRM",
    "sandbox-isolated": "Isolated CRM",
    "sandbox-slow": "Slow CRM",
    "sandbox-silent": "Silent CRM",
}
"""The demo's connectors that a stand-in can have, under the demo's own keys."""
_CONNECTORS: Final = "\n".join(
    f'[product.connector.{key}]\nname = "{name}"\nreference = "{name}"' for key, name in NAMES.items()
)
PRODUCTS: Final = f"""
[[product]]
key = "demo"
name = "Demo SaaS"
origins = ["{HOST}"]
secret_keys = ["{SECRET_KEY}"]
connectors = [{", ".join(f'"{key}"' for key in NAMES)}]
{_CONNECTORS}
[product.messages.default]
kind = "sealed"
text = "connected:{{connector}}"
[product.messages.done]
kind = "plain"
text = "done"
"""
LISTEN: Final = """
window.said = [];
addEventListener("message", ({ data, origin }) => {
  if (typeof data === "string") window.said.push([data, origin]);
});
"""


class CyclrScene(Scene):
    """What a user does, and what the page and the servers know of it when."""

    PARTNER: ClassVar = "cyclr"
    stack: CyclrStack

    def __init__(self, driver: WebDriver, stack: CyclrStack, record: Callable[[str, object], None]) -> None:
        super().__init__(driver, stack, record)
        for number, name in enumerate(NAMES.values(), 9001):
            stack.cyclr.release(number, name)

    def on_denial(self, denial: Denial) -> None:
        """What the partner service does with a user who denied."""
        self.stack.cyclr.habits.on_denial = denial

    def connected(self) -> Told:
        """The user has connected, and the window is gone."""
        self.rehearse()
        popup = self.connect()
        self.decide("Allow")
        told = self.end()
        assert self.popup_is_gone(popup)
        assert (told.status, told.detail["attributed"]) == ("connected", True)
        return told

    def answer(self, name: str) -> None:
        """Press the button of this name, once the page in front has come to ask."""
        found = f"//button[normalize-space()='{name}']"
        self.wait(lambda: any(each.is_displayed() for each in self.driver.find_elements(By.XPATH, found)))
        self.press_in_popup(name)

    def listen(self) -> None:
        """The page listens for texts, as it may have done before there was Hitchpost."""
        self.driver.execute_script(LISTEN)

    def heard(self) -> list[tuple[str, str]]:
        """The texts that its listener heard, each with its origin."""
        return [(data, origin) for data, origin in self.driver.execute_script("return window.said")]

    def come_back(self) -> None:
        """The user is on the page again."""
        self.front()
        self.driver.find_element(By.TAG_NAME, "h1").click()
        # WebKit's driver gives the focus to no window that another one covers.
        self.driver.execute_script("document.hasFocus = () => true")

    def _known_at(self, attempt: str | None) -> float | None:
        # What the user or the clock decided, the partner service never knew.
        decided = attempt is None or self.server_says(attempt)["status"] in {"cancelled", "expired"}
        return None if decided else self.stack.cyclr.knew_at * 1000 or None
