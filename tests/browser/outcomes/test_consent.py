"""What the user, and the third party, may do with the consent page."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By

from tests.support.scene import A_MOMENT_AGO, KEEP_POPUP, Scene


@pytest.mark.every_engine
def test_allow(scene: Scene) -> None:
    """1. The user allows: connected, by the message, and the popup is gone."""
    scene.rehearse()
    popup = scene.connect()
    scene.decide("Allow")
    told = scene.end()
    assert told.status == "connected"
    assert scene.popup_is_gone(popup)
    assert scene.server_says(told.attempt)["status"] == "connected"
    scene.note(1, "user allows", told, reach="message")


@pytest.mark.every_engine
def test_deny(scene: Scene) -> None:
    """2. The user denies: declined, without waiting for a time-out."""
    scene.rehearse()
    popup = scene.connect()
    scene.decide("Deny")
    told = scene.end()
    assert (told.status, told.code) == ("declined", "declined")
    assert scene.popup_is_gone(popup)
    assert scene.server_says(told.attempt)["status"] == "declined"
    scene.note(2, "user denies", told, reach="message")


@pytest.mark.repetition
def test_close_and_cancel(scene: Scene) -> None:
    """3. The user closes the popup: "unsure" within 3 s; *Cancel* is cancelled."""
    scene.rehearse()
    popup = scene.connect()
    scene.wait_for_consent()
    scene.close_popup(popup)
    scene.wait_for_choice("Open again", seconds=10)
    assert {"Open again", "Cancel"} <= set(scene.shown())
    assert not scene.endings()
    scene.button("Cancel").click()
    told = scene.end()
    assert (told.status, told.code) == ("cancelled", "cancelled")
    scene.note(3, "popup closed, then Cancel", told, state="unsure, then cancelled")


@pytest.mark.repetition
def test_close_and_open_again(scene: Scene) -> None:
    """3. The user closes the popup and opens it again: it can still end connected."""
    scene.rehearse()
    popup = scene.connect()
    scene.wait_for_consent()
    scene.close_popup(popup)
    scene.wait_for_choice("Open again", seconds=10)
    scene.choose("Open again")
    scene.decide("Allow")
    told = scene.end()
    assert told.status == "connected"
    scene.note(3, "popup closed, then Open again", told, state="unsure, then connected", reach="message")


def test_closed_the_instant_it_succeeded(scene: Scene) -> None:
    """4. The popup is closed while the sign-in finishes: connected, never cancelled."""
    scene.rehearse("slow")
    scene.driver.execute_script(KEEP_POPUP)
    popup = scene.connect("Slow CRM")
    scene.allow_and_close()
    assert scene.popup_is_gone(popup)
    assert not scene.endings()
    scene.driver.find_element(By.TAG_NAME, "h1").click()  # The user is back on the page.
    told = scene.end()
    assert told.status == "connected"
    assert len(scene.endings()) == 1
    scene.note(4, "popup closed the instant it succeeded", told, reach="gone")


@pytest.mark.parametrize("connector", ["broken", pytest.param("garbled", marks=pytest.mark.repetition)])
def test_the_third_party_fails(scene: Scene, connector: str) -> None:
    """12. The token endpoint fails, or answers garbage: failed, with words and a support code."""
    scene.rehearse(connector)
    scene.connect(f"{connector.title()} CRM")
    scene.decide("Allow")
    told = scene.end()
    assert (told.status, told.code) == ("failed", "failed")
    shown = " ".join(scene.shown(f"sandbox-{connector}"))
    assert told.detail["supportCode"] in shown
    assert told.detail["nextStep"] in shown
    ending = "token endpoint fails" if connector == "broken" else "token endpoint answers garbage"
    scene.note(12, ending, told, reach="message")


@pytest.mark.repetition
def test_the_third_party_is_slow(scene: Scene) -> None:
    """12. The token endpoint is slow: connected, once it has answered."""
    scene.rehearse("slow")
    scene.connect("Slow CRM")
    scene.decide("Allow")
    told = scene.end()
    assert told.status == "connected"
    scene.note(12, "token endpoint is slow", told, reach="message")


def test_the_third_party_never_comes_back(scene: Scene) -> None:
    """13. The third party never comes back: "unsure" long before, expired at the attempt's end."""
    scene.rehearse("silent")
    popup = scene.connect("Silent CRM")
    scene.press_in_popup("Allow")
    scene.wait(lambda: "Allow" not in scene.source())
    scene.close_popup(popup)
    scene.wait_for_choice("Open again", "sandbox-silent", seconds=10)
    attempt = scene.attempt_now()
    scene.sql("bff", f"UPDATE attempts SET expires_at = {A_MOMENT_AGO} WHERE id = ?", attempt)
    told = scene.end()
    assert (told.status, told.code) == ("expired", "expired")
    scene.note(13, "provider never comes back", told, state="unsure, then expired")
