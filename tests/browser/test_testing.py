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
    WebDriverWait(driver, 40).until(lambda _: driver.find_element(By.ID, "crm-state").text == word)


def test_allow(driver: WebDriver, app: tuple[str, Running]) -> None:
    """`allow` connects, and the receipt on the page is good."""
    origin, running = app
    press_connect(driver, origin)
    ThirdParty(driver).allow("Sandbox CRM")
    wait_for(driver, "Connected")
    receipt = driver.find_element(By.ID, "crm-state").get_attribute("data-receipt")
    assert receipt is not None
    keys = KeySet(f"{running.bff}/.well-known/jwks.json")
    told = verify(receipt, keys=keys, issuer=running.bff, product=running.product)
    assert (told.user, told.account) == ("u1", "a1")
    assert running.attempt(told.attempt)["status"] == "connected"


def test_deny(driver: WebDriver, app: tuple[str, Running]) -> None:
    """`deny` declines."""
    press_connect(driver, app[0])
    ThirdParty(driver).deny("Sandbox CRM")
    wait_for(driver, "declined")


def test_close_and_press_again(driver: WebDriver, app: tuple[str, Running]) -> None:
    """`close` closes the window; the host's own button, pressed again, opens it anew."""
    press_connect(driver, app[0])
    ThirdParty(driver).close("Sandbox CRM")
    script = """
    const done = arguments[0];
    document.addEventListener("hitchpost:step", ({ detail }) => { if (detail.step === "unsure") done(); });
    """
    driver.execute_async_script(script)
    driver.find_element(By.TAG_NAME, "button").click()
    ThirdParty(driver).allow("Sandbox CRM")
    wait_for(driver, "Connected")
