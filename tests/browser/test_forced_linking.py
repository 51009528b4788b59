"""A page of another product hands over a launch token of this one: a person is asked first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from flask import Flask
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

from tests.support.host_page import HostPage
from tests.support.own_product import register
from tests.support.servers import serve
from tests.support.stack import Stack
from tests.support.waiting import wait_for

EVIL = """<title>a game</title><button>Play</button><script>
document.querySelector("button").addEventListener("click", () => {
  const opening = `%(bff)s/connect/opening?product=evil&origin=${location.origin}`;
  const popup = open(opening, "_blank", "popup,width=520,height=680");
  addEventListener("message", ({ source, data }) => {
    if (source !== popup || data?.type !== "hitchpost.ready") return;
    popup.postMessage({ type: "hitchpost.launch", token: "%(token)s" }, "%(bff)s");
  });
});
</script>"""

# All in one turn of the page, so that no clock of the test's matters: the button has just come into sight.
PRESSES_AT_ONCE = """
const [form, button] = [document.querySelector("form"), document.querySelector("[type=submit]")];
window.dispatchEvent(new Event("focus"));
const found = [button.disabled];
button.click();
button.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
form.addEventListener("submit", (event) => found.push(event.defaultPrevented));
form.requestSubmit();
button.focus();
button.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
return found;
"""
WORKS_AFTER = """
const [done, began] = [arguments[arguments.length - 1], performance.now()];
const button = document.querySelector("[type=submit]");
new MutationObserver(() => { if (!button.disabled) done(performance.now() - began); })
  .observe(button, { attributes: true });
window.dispatchEvent(new Event("focus"));
"""
OUT_OF_SIGHT = """
const [how, done] = arguments;
Object.defineProperty(document, "visibilityState", { value: how, configurable: true });
document.dispatchEvent(new Event("visibilitychange"));
setTimeout(() => done(document.querySelector("[type=submit]").disabled), 1300);
"""


@pytest.fixture
def game(stack: Stack) -> Iterator[Callable[[str], str]]:
    """The address of a page that another product registered, which hands over a token of its choice."""
    app, tokens = Flask("game"), list[str]()
    app.add_url_rule("/", view_func=lambda: EVIL % {"bff": stack.bff, "token": tokens[-1]})
    with serve(lambda url: apply_product(stack, url) or app) as url:

        def at(token: str) -> str:
            tokens.append(token)
            return url

        yield at


def apply_product(stack: Stack, origin: str) -> None:
    """Register the page's product at the running BFF."""
    register(stack, "evil", [origin], name="A game")
    # The worker may still know the product as the test before had it: it reads one anew after two seconds.
    asked = {"product": "evil", "origin": origin}
    wait_for(lambda: requests.get(f"{stack.bff}/connect/opening", params=asked, timeout=20).ok)


def begin(stack: Stack) -> dict[str, Any]:
    """Mallory, a user of the demo's product, prepares an attempt."""
    key = {"Authorization": f"Bearer {stack.secret_key}"}
    who = {
        "user": {"id": "mallory", "name": "Mallory"},
        "account": {"id": "mallory-inc", "name": "Mallory Inc."},
    }
    session = requests.post(f"{stack.bff}/v1/sessions", json=who, headers=key, timeout=20).json()
    page = {"Authorization": f"Bearer {session['token']}", "Origin": stack.host, "X-Hitchpost": "1"}
    asked = {"connector": "sandbox"}
    found: dict[str, Any] = requests.post(
        f"{stack.bff}/v1/attempts", json=asked, headers=page, timeout=20
    ).json()
    return found


def status_of(stack: Stack, attempt: dict[str, Any]) -> str:
    """Where it stands, by the host's server."""
    key = {"Authorization": f"Bearer {stack.secret_key}"}
    answer = requests.get(f"{stack.bff}/v1/attempts/{attempt['id']}", headers=key, timeout=20)
    return str(answer.json()["status"])


def test_a65_another_products_page_with_this_ones_launch_token_asks_first(
    driver: WebDriver, stack: Stack, game: Callable[[str], str]
) -> None:
    """Nothing is launched; the page names who would get the connection, and takes no early press (A76).

    Whoever says no is done: the window closes, and nothing was used up.
    """
    attempt, page = begin(stack), HostPage(driver, stack)
    driver.get(game(attempt["launch_token"]))
    popup = page.choose("Play")
    page.wait(lambda: driver.find_elements(By.NAME, "confirmation"))
    page.press_in_popup("No, close")
    assert page.popup_is_gone(popup)
    page.front()
    page.choose("Play")
    page.wait(lambda: driver.find_elements(By.NAME, "confirmation"))
    text = page.wait(lambda: driver.find_element(By.TAG_NAME, "dl").text)
    for named in ("mallory-inc", "Mallory Inc.", "mallory", "sandbox", "Demo SaaS"):
        assert named in text
    assert driver.execute_script(PRESSES_AT_ONCE) == [True, True]
    driver.set_script_timeout(20)
    assert driver.execute_async_script(WORKS_AFTER) >= 990
    assert driver.execute_async_script(OUT_OF_SIGHT, "hidden") is True
    assert driver.execute_async_script(OUT_OF_SIGHT, "visible") is False
    assert status_of(stack, attempt) == "created"
    page.press_in_popup("Continue to Sandbox CRM")
    page.wait(lambda: driver.current_url.startswith(stack.sandbox))
    assert status_of(stack, attempt) == "launched"
