"""The demo's own page: it says who is signed in, and each rehearsal begins anew."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

from tests.support.accessibility import emulate, unreadable
from tests.support.browsers import missing
from tests.support.host_page import HostPage
from tests.support.stack import Stack, end_connections


@pytest.fixture
def unconnected(stack: Stack) -> Stack:
    """The demo, in which nothing is connected any more."""
    end_connections(stack)
    return stack


@pytest.mark.skipif(missing("chromium") is not None, reason="Chromium cannot be driven here")
@pytest.mark.parametrize("engine", ["chromium"])
def test_a_rehearsal_that_leaves_the_tab_leaves_nothing_for_the_next(
    driver: WebDriver, unconnected: Stack
) -> None:
    """Left in the middle, its sign-in does not go on in the next one, whose button opens a window."""
    stack = unconnected
    page = HostPage(driver, stack)
    driver.get(f"{stack.host}/nowhere")
    driver.delete_all_cookies()
    driver.get(stack.host)
    assert "Nobody is signed in." in driver.find_element(By.TAG_NAME, "header").text
    page.button("Sign in as Ada").click()
    page.wait(lambda: driver.find_elements(By.TAG_NAME, "hitchpost-connect"))
    assert "Signed in as Ada Lovelace" in driver.find_element(By.TAG_NAME, "header").text
    assert "None yet." in driver.find_element(By.ID, "no-events").text
    assert not driver.find_element(By.ID, "event-list").is_displayed()
    for scheme, width in (("light", 1280), ("dark", 360)):
        emulate(driver, scheme, width)
        assert unreadable(driver) == []
    emulate(driver, "light", 1280)
    page.button("The sign-in takes this tab").click()
    page.wait(lambda: "rehearse=same-tab" in driver.current_url)
    page.button("Connect Sandbox CRM").click()
    page.wait(lambda: driver.current_url.startswith(stack.sandbox))
    driver.back()
    page.wait(lambda: driver.find_elements(By.CSS_SELECTOR, ".endings"))
    page.button("The user allows").click()
    page.wait(lambda: "rehearse=allow" in driver.current_url)
    assert driver.execute_script("return sessionStorage.length") == 0
    page.choose("Connect Sandbox CRM")
    page.decide("Allow")
    assert page.status("connected", "failed", "declined") == "connected"
    page.button("Sign out").click()
    page.button("Sign in as Grace").click()
    page.wait(lambda: "Rehearsal: The user allows" in driver.find_element(By.TAG_NAME, "main").text)
