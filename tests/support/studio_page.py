"""One browser in the Studio, as an editor uses it."""

from __future__ import annotations

from typing import Final

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.support.host_page import HostPage
from tests.support.stack import invite

BUTTON_TEXT: Final = """
const button = document.querySelector("hitchpost-connect")?.shadowRoot?.querySelector("[part=button]");
return button?.textContent.trim();
"""


class StudioPage(HostPage):
    """One browser in the Studio."""

    def enter(self, email: str = "ada@acme.example") -> None:
        """Open a fresh link, as the command prints it, and press its button."""
        self.driver.get(invite(self.stack, email))
        self.button(f"Sign in as {email}").click()
        self.wait(lambda: self.driver.find_elements(By.CSS_SELECTOR, "nav[aria-label=Studio]"))

    def open(self, path: str) -> None:
        """Look at a page of the Studio."""
        self.driver.get(f"{self.stack.bff}/studio/{path}")
        self.wait(lambda: self.driver.find_element(By.ID, "main"))

    def write(self, field: str, text: str) -> None:
        """Write into a field, in place of what is there, and wait until it is saved."""
        control = self.driver.find_element(By.ID, field)
        control.send_keys(Keys.CONTROL, "a")
        control.send_keys(text)
        self.wait(lambda: self.driver.find_element(By.ID, "saved").text == "Saved")

    def previewed(self) -> str | None:
        """What the button in the preview says."""
        self.driver.switch_to.frame("preview")
        try:
            found: str | None = self.driver.execute_script(BUTTON_TEXT)
            return found
        finally:
            self.driver.switch_to.window(self.window)

    def is_drawn(self) -> bool:
        """Whether the preview has its page."""
        self.driver.switch_to.frame("preview")
        try:
            drawn = "return document.readyState === 'complete' && location.href !== 'about:blank'"
            return bool(self.driver.execute_script(drawn))
        finally:
            self.driver.switch_to.window(self.window)

    def text_of(self, element: str) -> str:
        """The text of an element."""
        return self.driver.find_element(By.ID, element).text
