"""A real click: by the time that the popup hands in its launch token, the sign-in token has been minted."""

from __future__ import annotations

from typing import Final

import pytest
from selenium.webdriver.common.keys import Keys

from tests.support.host_page import HostPage

NO_REFERRER: Final = """
const policy = { name: "referrer", content: "no-referrer" };
document.head.append(Object.assign(document.createElement("meta"), policy));
"""
"""With it a form, or a request without CORS, would say that it comes from nowhere."""
PREPARED: Final = "return heard.some(({ detail }) => detail.step === 'prepared')"


@pytest.fixture(params=["chromium"])
def engine(request: pytest.FixtureRequest) -> str:
    """One engine is enough: which events come when is no secret of theirs."""
    name: str = request.param
    return name


def story(page: HostPage) -> list[str]:
    """The first steps of the attempt that has just ended, in the order of their times."""
    told = page.stack.attempt(page.result()["attempt"])
    assert told["status"] == "connected"
    return [step["step"] for step in told["timeline"]][:3]


@pytest.mark.parametrize("script", ["", NO_REFERRER], ids=["plain", "no-referrer"])
def test_a_click_mints_before_its_launch(page: HostPage, script: str) -> None:
    """From a page that tells nobody where it is, too."""
    page.driver.execute_script(script)
    page.connect()
    page.decide("Allow")
    assert page.status("connected", "failed", "declined") == "connected"
    assert story(page) == ["prepared", "minted", "launched"]


def test_a_key_does_as_well(page: HostPage) -> None:
    """No button of a mouse goes down: then the click itself tells."""
    page.button("Connect Sandbox CRM").send_keys("")  # the focus alone prepares
    page.wait(lambda: page.driver.execute_script(PREPARED))
    before = set(page.driver.window_handles)
    page.button("Connect Sandbox CRM").send_keys(Keys.ENTER)
    popup = page.wait(lambda: next(iter(set(page.driver.window_handles) - before), None))
    page.driver.switch_to.window(popup)
    page.decide("Allow")
    assert page.status("connected", "failed", "declined") == "connected"
    assert story(page) == ["prepared", "minted", "launched"]
