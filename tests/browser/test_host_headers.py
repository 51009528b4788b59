"""Headers of the host page that are in the way of a sign-in: the widget takes the way that works."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import requests
from flask import Flask, Response, request
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from bff.testing import Running, press, run_hitchpost
from tests.support.host_page import FIND_BUTTON
from tests.support.servers import serve

PAGES = {
    "no-referrer": ({"Referrer-Policy": "no-referrer"}, "return"),
    "same-origin": ({"Referrer-Policy": "same-origin"}, "return"),
    "form-action": ({"Content-Security-Policy": "form-action 'self'"}, "return"),
    "coop": ({"Cross-Origin-Opener-Policy": "same-origin"}, "message"),
}
STATE = "return document.querySelector('hitchpost-connect')?.shadowRoot?.textContent ?? ''"


@dataclass
class Hosts:
    """The host's pages, each with headers of its own, and Hitchpost."""

    url: str
    hitchpost: Running


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    """A host whose server hands session tokens to its pages."""
    app, found = Flask("host"), list[Hosts]()

    @app.get("/session/<account>")
    def session(account: str) -> Any:
        running = found[0].hitchpost
        answer = requests.post(
            f"{running.bff}/v1/sessions",
            json={"user": {"id": "ada"}, "account": {"id": account}},
            headers={"Authorization": f"Bearer {running.secret_key}"},
            timeout=10,
        )
        return answer.json()

    @app.get("/<name>")
    def page(name: str) -> Response:
        headers, delivery = PAGES[name]
        running, account = found[0].hitchpost, request.args["account"]
        text = (
            "<!doctype html><html lang='en'><title>host</title><link rel='icon' href='data:,'>"
            f"<script src='{running.bff}/widget/v1/hitchpost.js' data-product='{running.product}'"
            f" data-session-url='/session/{account}' defer></script>"
            f"<hitchpost-connect connector='sandbox' delivery='{delivery}'></hitchpost-connect>"
        )
        return Response(text, headers=headers)

    with (
        serve(lambda _: app) as url,
        run_hitchpost(origins=[url], folder=tmp_path_factory.mktemp("headers")) as running,
    ):
        found.append(Hosts(url, running))
        yield found[0]


def address(hosts: Hosts, name: str) -> str:
    """Of this page, for an account that has connected nothing."""
    return f"{hosts.url}/{name}?account={uuid4().hex}"


def button(driver: WebDriver, name: str) -> Any:
    """The visible button of this name."""
    return WebDriverWait(driver, 30, 0.05).until(lambda _: driver.execute_script(FIND_BUTTON, name))


def connected(driver: WebDriver) -> None:
    """Wait until the element says so."""
    WebDriverWait(driver, 30, 0.1).until(lambda _: "Connected" in (driver.execute_script(STATE) or ""))


@pytest.mark.parametrize("name", ["no-referrer", "same-origin"])
def test_a_page_that_hides_its_origin_goes_straight_to_the_sign_in(
    driver: WebDriver, hosts: Hosts, name: str
) -> None:
    """In its own tab, without a page in between that asks what nobody expects."""
    driver.get(address(hosts, name))
    button(driver, "Connect Sandbox CRM").click()
    press(driver, "Allow")
    WebDriverWait(driver, 30).until(lambda _: driver.current_url.startswith(hosts.url))
    connected(driver)


def test_a_page_that_lets_no_form_go_elsewhere_takes_a_window(driver: WebDriver, hosts: Hosts) -> None:
    """`form-action 'self'`: nothing is lost, and the sign-in goes on where it can."""
    driver.get(address(hosts, "form-action"))
    before, own = set(driver.window_handles), driver.current_window_handle
    button(driver, "Connect Sandbox CRM").click()
    WebDriverWait(driver, 30, 0.1).until(lambda _: set(driver.window_handles) - before)
    driver.switch_to.window((set(driver.window_handles) - before).pop())
    press(driver, "Allow")
    driver.switch_to.window(own)
    connected(driver)


def test_a_page_that_is_cut_off_from_its_windows_continues_in_its_tab(
    driver: WebDriver, hosts: Hosts
) -> None:
    """`Cross-Origin-Opener-Policy: same-origin`, as Django sends: the way on is in the page."""
    driver.get(address(hosts, "coop"))
    before, own = set(driver.window_handles), driver.current_window_handle
    button(driver, "Connect Sandbox CRM").click()
    WebDriverWait(driver, 30, 0.1).until(lambda _: set(driver.window_handles) - before)
    driver.switch_to.window((set(driver.window_handles) - before).pop())
    WebDriverWait(driver, 30, 0.1).until(lambda _: "Close this window" in driver.page_source)
    button(driver, "Close this window").click()
    driver.switch_to.window(own)
    button(driver, "Continue in this tab").click()
    press(driver, "Allow")
    WebDriverWait(driver, 30).until(lambda _: driver.current_url.startswith(hosts.url))
    connected(driver)
