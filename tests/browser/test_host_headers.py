"""Headers of the host page that are in the way of a sign-in: the widget takes the way that works."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import pytest
from flask import Flask, Response, request
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from bff.testing import press
from tests.support.host_page import FIND_BUTTON
from tests.support.own_product import own_host, tag
from tests.support.stack import Stack

PRODUCT: Final = "headers"
PAGES = {
    "no-referrer": ({"Referrer-Policy": "no-referrer"}, "return"),
    "same-origin": ({"Referrer-Policy": "same-origin"}, "return"),
    "form-action": ({"Content-Security-Policy": "form-action 'self'"}, "return"),
    "coop": ({"Cross-Origin-Opener-Policy": "same-origin"}, "message"),
}
STATE = "return document.querySelector('hitchpost-connect')?.shadowRoot?.textContent ?? ''"


@pytest.fixture(scope="session")
def host(stack: Stack) -> Iterator[str]:
    """The URL of the host's pages, each with headers of its own."""
    app = Flask("host")

    @app.get("/<name>")
    def page(name: str) -> Response:
        headers, delivery = PAGES[name]
        text = (
            "<!doctype html><html lang='en'><title>host</title><link rel='icon' href='data:,'>"
            f"{tag(stack, PRODUCT, request.args['account'])}"
            f"<hitchpost-connect connector='sandbox' delivery='{delivery}'></hitchpost-connect>"
        )
        return Response(text, headers=headers)

    with own_host(stack, PRODUCT, app) as running:
        yield running.host


def address(host: str, name: str) -> str:
    """Of this page, for an account that has connected nothing."""
    return f"{host}/{name}?account={uuid4().hex}"


def button(driver: WebDriver, name: str) -> Any:
    """The visible button of this name."""
    return WebDriverWait(driver, 30, 0.05).until(lambda _: driver.execute_script(FIND_BUTTON, name))


def connected(driver: WebDriver) -> None:
    """Wait until the element says so."""
    WebDriverWait(driver, 30, 0.1).until(lambda _: "Connected" in (driver.execute_script(STATE) or ""))


@pytest.mark.parametrize("name", ["no-referrer", "same-origin"])
def test_a_page_that_hides_its_origin_goes_straight_to_the_sign_in(
    driver: WebDriver, host: str, name: str
) -> None:
    """In its own tab, without a page in between that asks what nobody expects, and back to its address."""
    driver.get(address(host, name))
    page = driver.current_url
    button(driver, "Connect Sandbox CRM").click()
    press(driver, "Allow")
    WebDriverWait(driver, 30, 0.1).until(lambda _: driver.current_url.startswith(host))
    connected(driver)
    assert driver.current_url == page
    assert len(driver.window_handles) == 1


def test_a_page_that_lets_no_form_go_elsewhere_takes_a_window(driver: WebDriver, host: str) -> None:
    """`form-action 'self'`: nothing is lost, and the sign-in goes on where it can."""
    driver.get(address(host, "form-action"))
    before, own = set(driver.window_handles), driver.current_window_handle
    button(driver, "Connect Sandbox CRM").click()
    WebDriverWait(driver, 30, 0.1).until(lambda _: set(driver.window_handles) - before)
    driver.switch_to.window((set(driver.window_handles) - before).pop())
    press(driver, "Allow")
    driver.switch_to.window(own)
    connected(driver)


def test_a_page_that_is_cut_off_from_its_windows_continues_in_its_tab(driver: WebDriver, host: str) -> None:
    """`Cross-Origin-Opener-Policy: same-origin`, as Django sends: the way on is in the page."""
    driver.get(address(host, "coop"))
    before, own = set(driver.window_handles), driver.current_window_handle
    button(driver, "Connect Sandbox CRM").click()
    WebDriverWait(driver, 30, 0.1).until(lambda _: set(driver.window_handles) - before)
    driver.switch_to.window((set(driver.window_handles) - before).pop())
    WebDriverWait(driver, 30, 0.1).until(lambda _: "Close this window" in driver.page_source)
    button(driver, "Close this window").click()
    driver.switch_to.window(own)
    button(driver, "Continue in this tab").click()
    press(driver, "Allow")
    WebDriverWait(driver, 30, 0.1).until(lambda _: driver.current_url.startswith(host))
    connected(driver)
