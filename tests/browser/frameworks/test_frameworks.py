"""The tag in other people's frameworks: a flow outlives a re-render, and a reload shows what is connected."""

from __future__ import annotations

from typing import Final

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

from tests.browser.frameworks.conftest import Hosts
from tests.support.host_page import HostPage

FRAMEWORKS: Final = ("django", "express and react", "vue", "htmx", "turbo", "flask")
ISOLATED: Final = {"django"}
"""Frameworks whose default headers cut a popup off from the page: COOP same-origin."""


def heard(page: HostPage) -> list[str]:
    """The endings that the page's own listener has heard since it was loaded."""
    page.front()
    found: list[str] = page.driver.execute_script("return globalThis.heard ?? []")
    return found


@pytest.mark.parametrize("engine", ["chromium"], indirect=True)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_flow_outlives_a_re_render(driver: WebDriver, hosts: Hosts, framework: str) -> None:
    """Re-rendered in mid-flow, the page is told the ending once; after a reload it shows the connection."""
    name = framework.rpartition(" ")[2]
    driver.get(hosts.page(name))
    page = HostPage(driver, hosts.running)
    page.connect()
    if name in ISOLATED:
        page.front()
        page.button("Continue in this tab")
        page.click("Re-render")
        page.click("Continue in this tab")
    else:
        page.front()
        page.click("Re-render")
        _look_at_the_popup(page)
    page.decide("Allow")
    page.wait(lambda: heard(page))
    assert heard(page) == ["connected"]
    driver.refresh()
    page.wait(lambda: driver.find_elements(By.CSS_SELECTOR, "hitchpost-connect[state=connected]"))


def _look_at_the_popup(page: HostPage) -> None:
    other = page.wait(lambda: next(iter(set(page.driver.window_handles) - {page.window}), None))
    page.driver.switch_to.window(other)
