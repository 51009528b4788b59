"""Every ending with a strict stand-in for Cyclr, which tells its flag, and no more."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import pytest
from selenium.webdriver.common.by import By

from tests.browser.outcomes import (
    test_consent,
    test_hosts,
    test_isolation,
    test_many,
    test_own_tab,
)
from tests.support.cyclr.control import Denial
from tests.support.cyclr.scene import CyclrScene
from tests.support.scene import Scene

Play = Callable[[Scene], None]
AS_WITH_OURS: Final[dict[str, Play]] = {
    "allow": test_consent.test_allow,
    "close and cancel": test_consent.test_close_and_cancel,
    "close and open again": test_consent.test_close_and_open_again,
    "closed the instant it succeeded": test_consent.test_closed_the_instant_it_succeeded,
    "never back": test_consent.test_the_third_party_never_comes_back,
    "coop-popups": test_isolation.test_host_with_coop_allow_popups,
    "coop": test_isolation.test_host_with_coop,
    "blocked, open again": partial(test_own_tab.test_blocked_popup, choice="Open again"),
    "blocked, this tab": partial(test_own_tab.test_blocked_popup, choice="Continue in this tab"),
    "same tab": test_own_tab.test_same_tab,
    "double click": test_many.test_double_click,
    "framed": test_hosts.test_framed_host,
}
"""The endings that the page is told as with the embedded service."""
PLAYED: Final = "blocked, this tab"
"""By `make test`, as the one that ends in the page's own tab: every part of the others is in some test below,
or is the widget's alone, which is played with the embedded service."""
SOMEBODYS: Final = ("connected", False, None)


def told(detail: dict[str, object]) -> tuple[object, object, object]:
    """Status, whether the user is named, and the receipt."""
    return detail["status"], detail["attributed"], detail["receipt"]


@pytest.mark.parametrize(
    "play",
    [
        pytest.param(play, id=name, marks=[] if name == PLAYED else pytest.mark.repetition)
        for name, play in AS_WITH_OURS.items()
    ],
)
def test_as_with_the_embedded_service(cyclr_scene: CyclrScene, play: Play) -> None:
    """Whatever the page can know by itself, or by the flag that is news."""
    play(cyclr_scene)


def test_deny(cyclr_scene: CyclrScene) -> None:
    """2. The user is left on an error page, which tells nobody: the page asks once the window is closed."""
    cyclr_scene.rehearse()
    popup = cyclr_scene.connect()
    cyclr_scene.press_in_popup("Deny")
    cyclr_scene.wait(lambda: "Something went wrong" in cyclr_scene.source())
    cyclr_scene.close_popup(popup)
    cyclr_scene.wait_for_choice("Cancel", seconds=10)
    assert not cyclr_scene.endings()
    cyclr_scene.button("Cancel").click()
    ended = cyclr_scene.end()
    assert ended.status == "cancelled"
    state = "unsure: *Open again* or *Cancel*?, then cancelled"
    cyclr_scene.note(2, "user denies, and closes Cyclr's error page", ended, state=state)


def test_isolated(cyclr_scene: CyclrScene) -> None:
    """5. The third party isolates itself: connected. Nobody but the user can close Cyclr's last page."""
    cyclr_scene.rehearse("isolated")
    cyclr_scene.connect("Isolated CRM")
    cyclr_scene.wait_for_step("waiting")
    cyclr_scene.switch_to_other_window()
    cyclr_scene.press_in_popup("Allow")
    ended = cyclr_scene.end()
    assert told(ended.detail)[:2] == ("connected", True)
    assert len(cyclr_scene.endings()) == 1
    cyclr_scene.note(5, "provider isolates its pages", ended, reach="covered")


@pytest.mark.repetition
def test_reload(cyclr_scene: CyclrScene) -> None:
    """10. The page is reloaded in mid-flow: connected. Cyclr's last page stays, as nobody holds it now."""
    cyclr_scene.rehearse()
    popup = cyclr_scene.connect()
    cyclr_scene.wait_for_step("waiting")
    cyclr_scene.driver.refresh()
    cyclr_scene.wait(lambda: cyclr_scene.driver.find_elements(By.TAG_NAME, "hitchpost-connect"))
    cyclr_scene.driver.switch_to.window(popup)
    cyclr_scene.press_in_popup("Allow")
    ended = cyclr_scene.end()
    assert told(ended.detail)[:2] == ("connected", True)
    cyclr_scene.note(10, "host page reloaded", ended, reach="covered")


@pytest.mark.repetition
def test_used_token(cyclr_scene: CyclrScene) -> None:
    """15. Cyclr's page says that the token is over: the user is asked, and a new start is connected."""
    cyclr_scene.stack.cyclr.habits.token_seconds = -1
    cyclr_scene.rehearse()
    popup = cyclr_scene.connect()
    cyclr_scene.wait(lambda: "403" in cyclr_scene.source())
    cyclr_scene.stack.cyclr.habits.token_seconds = 300
    cyclr_scene.close_popup(popup)
    cyclr_scene.wait_for_choice("Open again", seconds=10)
    cyclr_scene.choose("Open again")
    cyclr_scene.decide("Allow")
    ended = cyclr_scene.end()
    assert told(ended.detail)[:2] == ("connected", True)
    cyclr_scene.note(15, "sign-in token expired", ended, state="unsure, then connected", reach="message")


@pytest.mark.repetition
@pytest.mark.parametrize(
    ("decision", "answer", "status"),
    [("Allow", "Yes, I finished", "connected"), ("Deny", "No", "cancelled")],
)
def test_a_reconnect_that_comes_back_without_a_word(
    cyclr_scene: CyclrScene, decision: str, answer: str, status: str
) -> None:
    """18. Coming back is no success, and no failure: the window asks, and nobody is named."""
    cyclr_scene.on_denial("bare")
    cyclr_scene.connected()
    popup = cyclr_scene.connect()
    cyclr_scene.press_in_popup(decision)
    cyclr_scene.answer(answer)
    ended = cyclr_scene.end(nth=2)
    assert ended.status == status
    if status == "connected":
        assert told(ended.detail) == SOMEBODYS
    assert cyclr_scene.popup_is_gone(popup)
    state = f"the window asks, then {status}" + (", nobody named" if status == "connected" else "")
    ending = "user allows" if decision == "Allow" else "user denies, and is sent back"
    cyclr_scene.note(18, f"reconnect, {ending}", ended, state=state, timed=False)


@pytest.mark.repetition
@pytest.mark.parametrize("denial", ["error", "page"])
def test_a_reconnect_that_is_denied(cyclr_scene: CyclrScene, denial: Denial) -> None:
    """18. Sent back with an error: declined at once. Left on an error page: the user is asked."""
    cyclr_scene.on_denial(denial)
    cyclr_scene.connected()
    popup = cyclr_scene.connect()
    cyclr_scene.press_in_popup("Deny")
    if denial == "page":
        cyclr_scene.wait(lambda: "Something went wrong" in cyclr_scene.source())
        cyclr_scene.close_popup(popup)
        cyclr_scene.wait_for_choice("Cancel", seconds=10)
        cyclr_scene.button("Cancel").click()
    ended = cyclr_scene.end(nth=2)
    assert ended.status == ("declined" if denial == "error" else "cancelled")
    if denial == "error":
        cyclr_scene.note(18, "reconnect, user denies, sent back with an error", ended, reach="gone")
    else:
        state = "unsure, then cancelled"
        cyclr_scene.note(18, "reconnect, user denies, and closes the error page", ended, state=state)


def test_a_page_that_listens_for_its_plain_message(cyclr_scene: CyclrScene) -> None:
    """18. At a reconnect nobody posts it: the widget gives it to the page, once and in the same form."""
    cyclr_scene.connected()
    cyclr_scene.driver.execute_script(
        "document.querySelector('hitchpost-connect[connector=sandbox]').setAttribute('message', 'done')"
    )
    cyclr_scene.listen()
    popup = cyclr_scene.connect()
    cyclr_scene.press_in_popup("Allow")
    cyclr_scene.answer("Yes, I finished")
    assert told(cyclr_scene.end(nth=2).detail) == SOMEBODYS
    assert cyclr_scene.popup_is_gone(popup)
    assert cyclr_scene.heard() == [("done", cyclr_scene.stack.cyclr.service)]


@pytest.mark.parametrize(
    "denial",
    ["page", *(pytest.param(each, marks=pytest.mark.repetition) for each in ("error", "bare"))],
)
def test_two_users_at_once(cyclr_scene: CyclrScene, denial: Denial) -> None:
    """24. One allows, the other denies: nothing says that the other did it."""
    cyclr_scene.on_denial(denial)
    cyclr_scene.rehearse()
    first_popup = cyclr_scene.connect()
    cyclr_scene.wait_for_consent()
    cyclr_scene.front()
    cyclr_scene.driver.switch_to.new_window("window")
    grace = CyclrScene(cyclr_scene.driver, cyclr_scene.stack, lambda *_: None)
    grace.sign_in("Grace")
    popup = grace.connect()
    grace.wait_for_consent()
    cyclr_scene.driver.switch_to.window(first_popup)
    cyclr_scene.press_in_popup("Allow")
    ended = cyclr_scene.end()
    assert ended.status == "connected"
    grace.front()
    assert not grace.endings(), "a window was closed in the face of its user"
    grace.driver.switch_to.window(popup)
    grace.press_in_popup("Deny")
    if denial == "page":
        grace.wait(lambda: "Something went wrong" in grace.source())
        grace.close_popup(popup)
    other = grace.end()
    assert grace.server_says(other.attempt)["receipt"] is None
    if denial == "error":
        assert other.status == "declined"
    else:
        assert told(other.detail) == SOMEBODYS
    assert told(ended.detail) == SOMEBODYS
    state = "declined" if denial == "error" else "connected now, nobody named"
    how = {"page": "closes the error page", "error": "is sent back with an error", "bare": "is sent back"}
    cyclr_scene.note(24, f"another user allows; this one denies, and {how[denial]}", other, state=state)


def test_allow_after_cancel(cyclr_scene: CyclrScene) -> None:
    """25. Cancel, then Allow in the isolated window: cancelled, and the server has a late success."""
    cyclr_scene.rehearse("isolated")
    cyclr_scene.connect("Isolated CRM")
    cyclr_scene.wait_for_consent()
    cyclr_scene.come_back()
    cyclr_scene.wait_for_choice("Cancel", "sandbox-isolated", seconds=15)
    cyclr_scene.button("Cancel").click()
    ended = cyclr_scene.end()
    assert ended.status == "cancelled"
    cyclr_scene.switch_to_other_window()
    cyclr_scene.press_in_popup("Allow")
    cyclr_scene.wait(lambda: "Authentication complete" in cyclr_scene.source())
    late = cyclr_scene.wait(lambda: cyclr_scene.server_says(ended.attempt)["late_success"])
    assert late["at"]
    state = "cancelled, with a late success"
    cyclr_scene.note(25, "Cancel, then Allow in an isolated window", ended, state=state)
