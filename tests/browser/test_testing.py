"""What a host's own tests are given: docs/testing.md, done with an application that knows nothing of ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from flask import Flask, Response, jsonify
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from bff.receipts import KeySet, verify
from bff.testing import Running, ThirdParty, run_hitchpost
from tests.support.servers import serve

pytestmark = pytest.mark.one_engine
PAGE = """<!doctype html><title>App</title>
<script src="{bff}/widget/v1/hitchpost.js" data-product="{product}" data-session-url="/session"
  defer></script>
<button data-hitchpost-connect="sandbox">Connect your CRM</button><p id="crm-state"></p>
<script>
const state = document.getElementById("crm-state");
document.addEventListener("hitchpost:connected", ({{ detail }}) => {{
  state.textContent = "Connected"; state.dataset.receipt = detail.receipt;
}});
document.addEventListener("hitchpost:failed", ({{ detail }}) => {{ state.textContent = detail.code; }});
</script>"""
UNSURE = """
const done = arguments[0];
document.addEventListener("hitchpost:step", ({ detail }) => { if (detail.step === "unsure") done(); });
"""


@pytest.fixture(scope="module")
def app() -> Iterator[tuple[str, Running]]:
    """A host application, and the Hitchpost that was started for it."""
    kept: dict[str, Running] = {}

    def build(_url: str) -> Flask:
        host = Flask("app")

        @host.get("/")
        def page() -> Response:
            running = kept["running"]
            return Response(PAGE.format(bff=running.bff, product=running.product))

        @host.get("/session")
        def session() -> Response:
            running = kept["running"]
            body = {"user": {"id": "u1"}, "account": {"id": "a1"}}
            key = {"Authorization": f"Bearer {running.secret_key}"}
            return jsonify(
                requests.post(f"{running.bff}/v1/sessions", json=body, headers=key, timeout=10).json()
            )

        return host

    with serve(build) as url:
        origin = url.replace("127.0.0.1", "localhost")
        with run_hitchpost(origins=[origin]) as running:
            kept["running"] = running
            yield origin, running


def press_connect(driver: WebDriver, origin: str) -> None:
    """The user presses the host's own button."""
    driver.get(origin)
    driver.find_element(By.TAG_NAME, "button").click()


def wait_for(driver: WebDriver, word: str) -> None:
    """The host's page shows the word."""
    WebDriverWait(driver, 40, 0.1).until(lambda _: driver.find_element(By.ID, "crm-state").text == word)


def test_what_a_host_does(driver: WebDriver, app: tuple[str, Running]) -> None:
    """`deny` declines; `close` closes the window, which the host's own button opens anew; `allow` connects.

    The receipt on the page is good.
    """
    origin, running = app
    third = ThirdParty(driver)
    press_connect(driver, origin)
    third.deny("Sandbox CRM")
    wait_for(driver, "declined")
    press_connect(driver, origin)
    third.close("Sandbox CRM")
    driver.execute_async_script(UNSURE)
    driver.find_element(By.TAG_NAME, "button").click()
    third.allow("Sandbox CRM")
    wait_for(driver, "Connected")
    receipt = driver.find_element(By.ID, "crm-state").get_attribute("data-receipt")
    assert receipt is not None
    keys = KeySet(f"{running.bff}/.well-known/jwks.json")
    told = verify(receipt, keys=keys, issuer=running.bff, product=running.product)
    assert (told.user, told.account) == ("u1", "a1")
    assert running.attempt(told.attempt)["status"] == "connected"
