"""More than one click, more than one account, and messages from others."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from tests.support.scene import Scene

OPENER = """
const button = Object.assign(document.createElement("button"), { id: "opener", textContent: "x" });
button.onclick = () => window.open(arguments[0], "_blank");
document.querySelector("header").append(button);
"""
POST = "window.opener.postMessage(arguments[0], '*')"
FLOOD = """
const said = [
  ...["ready", "returned", "trouble", "launch"].map((name) => ({ type: `hitchpost.${name}`, token: "x" })),
  "connected:sandbox", null,
];
const target = arguments[0] === "opener" ? window.opener : window;
for (let times = 0; times < 300; times++) for (const data of said) target.postMessage(data, "*");
"""
READS = """
return performance.getEntriesByType("resource").filter(({ name }) => name.includes("/v1/attempts/")).length;
"""
MOST_READS = 3
"""By the timer and the focus, in the seconds that a flood takes; one for each message would be thousands."""


@pytest.mark.repetition
def test_double_click(scene: Scene) -> None:
    """17. A double click opens one popup."""
    scene.rehearse()
    ActionChains(scene.driver).double_click(scene.button("Connect Sandbox CRM")).perform()
    scene.wait_for_step("waiting")
    assert len(scene.driver.window_handles) == 2
    scene.switch_to_other_window()
    scene.decide("Allow")
    told = scene.end()
    assert told.status == "connected"
    assert len(scene.endings()) == 1
    scene.note(17, "double click", told, reach="message")


def test_two_buttons(scene: Scene) -> None:
    """17. Two buttons at once, one by a double click: a popup each, and each is told its own outcome."""
    scene.rehearse()
    ActionChains(scene.driver).double_click(scene.button("Connect Sandbox CRM")).perform()
    scene.wait_for_step("waiting")
    assert len(scene.driver.window_handles) == 2
    first = scene.switch_to_other_window()
    scene.front()
    second = scene.connect("Stranger CRM")
    assert first != second
    scene.decide("Allow")
    told = scene.end()
    assert (told.status, told.detail["connector"]) == ("connected", "sandbox-stranger")
    scene.driver.switch_to.window(first)
    scene.decide("Deny")
    other = scene.end(nth=2)
    assert (other.status, other.code) == ("declined", "declined")
    assert other.attempt != told.attempt
    assert len(scene.endings()) == 2
    scene.note(17, "two buttons at once", told, state="each its own", reach="message")


@pytest.mark.repetition
def test_two_tabs(scene: Scene) -> None:
    """17. The same connector in two tabs: no cross-talk, each is told its own outcome."""
    scene.rehearse()
    scene.connect()
    first_popup = scene.driver.current_window_handle
    # WebKit's driver falls silent when it makes a window while another still loads.
    scene.wait_for_consent()
    scene.front()
    # A window, as a tab of its own is not always the one in front.
    scene.driver.switch_to.new_window("window")
    other = Scene(scene.driver, scene.stack, lambda *_: None)
    other.driver.get(f"{scene.stack.host}/")
    popup = other.connect()
    other.driver.switch_to.window(popup)
    other.decide("Deny")
    assert other.end().status == "declined"
    scene.front()
    assert not scene.endings()
    scene.driver.switch_to.window(first_popup)
    scene.decide("Allow")
    told = scene.end()
    assert told.status == "connected"
    assert len(scene.endings()) == 1
    scene.note(17, "one connector in two tabs", told, state="each its own", reach="message")


def test_another_account(scene: Scene) -> None:
    """19. At a reconnect another account signs in: the old grant stands until the user chooses the other."""
    scene.rehearse("stranger")
    scene.connect("Stranger CRM")
    scene.decide("Allow")
    first = scene.end()
    ada = first.detail["connection"]["external_account"]
    scene.connect("Stranger CRM")
    scene.decide("Allow")
    told = scene.end(nth=2)
    assert (told.status, told.code) == ("failed", "account_mismatch")
    assert scene.connected_account("sandbox-stranger") == ada
    assert {"Use this account instead", "Try again"} <= set(scene.shown("sandbox-stranger"))
    scene.choose("Try again")
    scene.decide("Allow")
    assert scene.end(nth=3).code == "account_mismatch"
    assert scene.connected_account("sandbox-stranger") == ada
    scene.button("Use this account instead").click()
    chosen = scene.end(nth=4)
    assert chosen.status == "connected"
    assert chosen.detail["connection"]["external_account"] != ada
    assert scene.connected_account("sandbox-stranger") != ada
    scene.note(19, "another account at a reconnect", told, state="account_mismatch, old grant stands")


def test_a27_forged_messages(scene: Scene) -> None:
    """22. Forged messages do nothing: wrong origin, wrong window, a guessed text, a replay, thousands."""
    scene.rehearse()
    scene.connect()
    scene.decide("Allow")
    first = scene.end()
    popup = scene.connect()
    scene.wait_for_consent()
    scene.front()
    scene.wait(lambda: scene.steps().count("waiting") == 2)
    attempt = scene.attempt_now()
    replay, text = (
        scene.sql("bff", "SELECT callback_message FROM attempts WHERE id = ?", each)[0][0]
        for each in (first.attempt, attempt)
    )
    flood(scene, popup)
    # The right text from a window of the wrong origin, and from the page itself.
    scene.driver.switch_to.window(popup)
    scene.driver.execute_script(POST, text)
    scene.front()
    scene.driver.execute_script("window.postMessage(arguments[0], '*')", text)
    post_from_another_window(scene, popup, text)
    # The right window and origin with a guess, and with an older attempt's text.
    scene.driver.switch_to.window(popup)
    scene.driver.get(f"{scene.stack.partner}/health/live")
    for guess in ("connected:sandbox", "done", replay, {"type": "hitchpost.callback", "attempt": attempt}):
        scene.driver.execute_script(POST, guess)
    scene.front()
    checks = scene.checks(attempt)
    scene.wait(lambda: scene.checks(attempt) >= checks + 2)
    assert scene.steps().count("finishing") <= 1, "a forged message was taken for the true one"
    assert len(scene.endings()) == 1
    assert "message_seen" not in scene.all_steps(attempt)
    scene.driver.switch_to.window(popup)
    scene.driver.back()
    scene.press_in_popup("Allow")
    told = scene.end(attempt=attempt)
    assert told.status == "connected"
    scene.note(22, "forged messages", told, state="nothing, then connected", reach="message")


def flood(scene: Scene, popup: str) -> None:
    """Thousands: from the page's own window, and from the popup while the third party has it. None asks."""
    before = scene.driver.execute_script(READS)
    scene.driver.execute_script(FLOOD, "self")
    scene.driver.switch_to.window(popup)
    scene.driver.execute_script(FLOOD, "opener")
    scene.front()
    assert scene.driver.execute_script(READS) - before <= MOST_READS


def post_from_another_window(scene: Scene, popup: str, text: str) -> None:
    """The right origin and text, from a window that is not the popup."""
    scene.driver.execute_script(OPENER, f"{scene.stack.partner}/health/live")
    scene.driver.find_element(By.ID, "opener").click()
    stranger = scene.wait(
        lambda: next((h for h in scene.driver.window_handles if h not in {popup, scene.window}), None)
    )
    scene.driver.switch_to.window(stranger)
    scene.wait(lambda: scene.driver.current_url.startswith(scene.stack.partner))
    scene.driver.execute_script(POST, text)
    scene.driver.close()
