"""Blocked popups, the page's own tab, reloads, and browsers inside apps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from selenium.webdriver.common.by import By

from tests.support.browsers import open_browser
from tests.support.scene import Scene
from tests.support.stack import Stack

# Once no press of the user's excuses a new window any more.
PRESS_BY_SCRIPT = """
const element = document.querySelector('hitchpost-connect[connector="sandbox"]');
const press = () => {
  const button = element.shadowRoot?.querySelector("button");
  if (button && !navigator.userActivation.isActive) button.click();
  else setTimeout(press, 50);
};
press();
"""
INSTAGRAM = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Mobile/22F76 Instagram 390.0.0.28.85 (iPhone15,2; iOS 18_5; en_US)"
)
WEB_VIEW = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Mobile/15E148"
)


@pytest.mark.parametrize(
    "choice",
    [
        pytest.param("Open again", marks=pytest.mark.repetition),
        pytest.param("Continue in this tab", marks=pytest.mark.every_engine),
    ],
)
def test_blocked_popup(scene: Scene, choice: str) -> None:
    """8. The browser blocks the popup: that is told, two ways on are shown, and connected by either."""
    scene.rehearse()
    scene.driver.execute_script(PRESS_BY_SCRIPT)
    scene.wait_for_step("popup_blocked")
    scene.wait(lambda: {"Open again", "Continue in this tab", "Cancel"} <= set(scene.shown()))
    assert not scene.endings()
    if choice == "Open again":
        scene.choose(choice)
    else:
        scene.button(choice).click()
    scene.press_in_popup("Allow")
    told = scene.end()
    assert told.status == "connected"
    scene.note(
        8,
        f"popup blocked, then {choice}",
        told,
        state="popup_blocked, then connected",
        reach="message",
        timed=choice == "Open again",
    )


@pytest.mark.repetition
def test_same_tab(scene: Scene) -> None:
    """9. Redirect mode from start to return: connected, the page restored and told."""
    scene.rehearse("same-tab")
    address = scene.driver.current_url
    scene.button("Connect Sandbox CRM").click()
    scene.press_in_popup("Allow")
    told = scene.end()
    assert told.status == "connected"
    assert scene.driver.current_url == address
    assert len(scene.driver.window_handles) == 1
    scene.note(9, "same tab, start to return", told, timed=False)


@pytest.mark.every_engine
@pytest.mark.parametrize("how", ["reloaded", "left and come back to"])
def test_reload(scene: Scene, how: str) -> None:
    """10. The host page is reloaded, or left and come back to, in mid-flow: resumed, connected."""
    scene.rehearse()
    popup = scene.connect()
    scene.wait_for_step("waiting")
    # Only then has its window the launch token: in Firefox its message has no source once the page is gone.
    scene.driver.switch_to.window(popup)
    scene.wait(lambda: scene.driver.current_url.startswith(scene.stack.sandbox))
    scene.front()
    if how == "reloaded":
        scene.driver.refresh()
    else:
        scene.driver.get(f"{scene.stack.host}/health/live")
        scene.driver.back()
    scene.wait(lambda: scene.driver.find_elements(By.TAG_NAME, "hitchpost-connect"))
    scene.driver.switch_to.window(popup)
    scene.press_in_popup("Allow")
    told = scene.end()
    assert told.status == "connected"
    assert scene.popup_is_gone(popup)
    scene.note(10, f"host page {how}", told, reach="covered")


@pytest.mark.repetition
@pytest.mark.parametrize(
    "agent", [pytest.param(INSTAGRAM, id="instagram"), pytest.param(WEB_VIEW, id="web-view")]
)
def test_in_app_browser(
    engine: str, stack: Stack, record_property: Callable[[str, object], None], agent: str
) -> None:
    """23. A browser inside an app: redirect mode is chosen by itself, and ends connected."""
    with open_browser(engine, agent) as driver:
        scene = Scene(driver, stack, record_property)
        scene.sign_in()
        scene.button("Connect Sandbox CRM").click()
        scene.press_in_popup("Allow")
        told = scene.end()
        assert told.status == "connected"
        assert len(driver.window_handles) == 1
        name = "Instagram" if agent == INSTAGRAM else "WKWebView"
        scene.note(23, f"in-app browser, {name}", told, timed=False)
