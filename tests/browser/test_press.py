"""A real click: the press mints, as the button goes down, and the launch that comes later does not."""

from __future__ import annotations

import re
from typing import Final

import pytest
from selenium.webdriver.common.keys import Keys

from tests.support.host_page import HostPage
from tests.support.waiting import wait_for

NO_REFERRER: Final = """
const policy = { name: "referrer", content: "no-referrer" };
document.head.append(Object.assign(document.createElement("meta"), policy));
"""
"""With it a form, or a request without CORS, would say that it comes from nowhere."""
CLICKS: Final = 3
"""A launch that overtakes its press on a busy machine does not do so three times."""
PREPARED: Final = "return heard.some(({ detail }) => detail.step === 'prepared')"
REQUEST: Final = re.compile(r"^.*request_id=(\S+) route=(\S+) .*$", re.MULTILINE)
MINT: Final = re.compile(r"^.*path=/v1.0/accounts/\{account\}/signintoken request_id=(\S+) .*$", re.MULTILINE)


pytestmark = pytest.mark.parametrize("engine", ["chromium", "firefox"], indirect=True)
"""Firefox holds to what a page without a referrer may say of itself; Chromium does not."""


class Log:
    """What the BFF writes from now on."""

    def __init__(self, page: HostPage) -> None:
        self.path = page.stack.folder / "bff.log"
        self.begins = len(self.path.read_text())

    def minted(self) -> list[str]:
        """The routes of the requests that minted, once each is told."""
        return wait_for(self._minted)

    def _minted(self) -> list[str]:
        text = self.path.read_text()[self.begins :]
        routes = dict(REQUEST.findall(text))
        asked = MINT.findall(text)
        # One request may mint twice: where the account has to be made first.
        return [routes[one] for one in dict.fromkeys(asked)] if set(asked) <= set(routes) else []


@pytest.mark.parametrize(
    "script",
    [pytest.param("", id="plain", marks=pytest.mark.repetition), pytest.param(NO_REFERRER, id="no-referrer")],
)
def test_a_click_mints_by_its_press(page: HostPage, script: str) -> None:
    """From a page that tells nobody where it is, too. Once: a launch that overtakes it mints instead."""
    page.driver.execute_script(script)
    for _ in range(CLICKS):
        log = Log(page)
        page.connect()
        page.decide("Allow")
        assert page.status("connected", "failed", "declined") == "connected"
        minted = log.minted()
        if minted != ["/connect/launch"]:
            break
    assert minted == ["/v1/press"]


def test_a_key_does_as_well(page: HostPage) -> None:
    """No button of a mouse goes down: then the click itself tells."""
    log = Log(page)
    page.button("Connect Sandbox CRM").send_keys("")  # the focus alone prepares
    page.wait(lambda: page.driver.execute_script(PREPARED))
    before = set(page.driver.window_handles)
    page.button("Connect Sandbox CRM").send_keys(Keys.ENTER)
    popup = page.wait(lambda: next(iter(set(page.driver.window_handles) - before), None))
    page.driver.switch_to.window(popup)
    page.decide("Allow")
    assert page.status("connected", "failed", "declined") == "connected"
    assert log.minted() == ["/v1/press"]
