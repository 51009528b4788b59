"""Lost networks, a partner service that is down, tokens and sessions past their time."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support.scene import A_MOMENT_AGO, Scene

OUTAGE_SECONDS = 20
SPOIL = """
CREATE TRIGGER spoil AFTER INSERT ON sign_in_token
BEGIN UPDATE sign_in_token SET {change} WHERE sha256 = NEW.sha256; END
"""


@pytest.fixture
def spoiled(scene: Scene) -> Iterator[Scene]:
    """A scene whose sign-in tokens can be spoiled; afterwards they are sound again."""
    yield scene
    scene.sql("partner", "DROP TRIGGER IF EXISTS spoil")


def test_network_lost(scene: Scene) -> None:
    """11. Nothing of the BFF answers for 20 s in mid-flow: connected after it."""
    scene.rehearse()
    scene.connect()
    scene.wait_for_consent()
    scene.stop("bff")
    began = time.monotonic()
    scene.allow_soon()
    # house-allow: test-sleep: the duration is the ending itself, there is nothing to wait for but time
    time.sleep(max(0.0, OUTAGE_SECONDS - (time.monotonic() - began)))
    assert not scene.endings()
    scene.go_on("bff")
    told = scene.end()
    assert told.status == "connected"
    scene.note(11, "network lost for 20 s", told, timed=False)


def test_partner_down_at_launch(scene: Scene) -> None:
    """14. The partner service is down at launch: told in the popup and on the page."""
    scene.rehearse()
    scene.stop("partner")
    # The popup is not looked into: a driver waits for its page, and it may be closed by then.
    scene.button("Connect Sandbox CRM").click()
    told = scene.end(every=1)  # The BFF waits half a minute for it.
    assert (told.status, told.code) == ("failed", "partner_unavailable")
    assert told.detail["nextStep"] in " ".join(scene.shown())
    assert scene.wait(lambda: scene.driver.window_handles == [scene.window])
    scene.note(14, "partner service down at launch", told)


@pytest.mark.repetition
def test_partner_down_while_waiting(scene: Scene) -> None:
    """14. The partner service goes down while the page waits: the waiting goes on, and ends right."""
    scene.rehearse()
    scene.connect()
    scene.wait_for_consent()
    scene.stop("partner")
    scene.front()
    attempt = scene.attempt_now()
    checks = scene.checks(attempt)
    scene.wait(lambda: scene.checks(attempt) >= checks + 2)
    assert not scene.endings()
    scene.go_on("partner")
    scene.switch_to_other_window()
    scene.press_in_popup("Allow")
    told = scene.end()
    assert told.status == "connected"
    scene.note(14, "partner service down while waiting", told, reach="message")


@pytest.mark.repetition
def test_sign_in_token_expired(spoiled: Scene) -> None:
    """15. The sign-in token is past its time when the browser arrives: a fresh start works."""
    spoiled.rehearse()
    spoiled.sql("partner", SPOIL.format(change=f"expires_at = {A_MOMENT_AGO}"))
    spoiled.connect()
    told = spoiled.end()
    assert (told.status, told.code) == ("failed", "failed")
    spoiled.sql("partner", "DROP TRIGGER spoil")
    spoiled.connect()
    spoiled.decide("Allow")
    again = spoiled.end(nth=2)
    assert again.status == "connected"
    spoiled.note(15, "sign-in token expired", told, state="failed, then a fresh start: connected")


def test_sign_in_token_used(spoiled: Scene) -> None:
    """15. The sign-in token was used already: nothing is stuck, and Open again works."""
    spoiled.rehearse()
    spoiled.sql("partner", SPOIL.format(change=f"used_at = {A_MOMENT_AGO}"))
    popup = spoiled.connect()
    spoiled.wait(lambda: "was used already" in spoiled.source())
    spoiled.close_popup(popup)
    spoiled.wait_for_choice("Open again", seconds=15)
    spoiled.sql("partner", "DROP TRIGGER spoil")
    spoiled.choose("Open again")
    spoiled.decide("Allow")
    told = spoiled.end()
    assert told.status == "connected"
    spoiled.note(15, "sign-in token used", told, state="unsure, then connected", reach="message")


@pytest.mark.repetition
def test_session_expires(scene: Scene) -> None:
    """16. The session token ends before the click and in mid-flow: renewed, without the user noticing."""
    scene.rehearse("short-session")
    asked = (
        "return performance.getEntriesByType('resource').filter((e) => e.name.endsWith('-session')).length"
    )
    scene.connect()
    scene.front()
    scene.wait(lambda: scene.driver.execute_script(asked) >= 3)
    assert not scene.endings()
    scene.switch_to_other_window()
    scene.press_in_popup("Allow")
    told = scene.end()
    assert told.status == "connected"
    scene.note(16, "session ends in mid-flow", told, reach="message")


@pytest.mark.repetition
def test_signed_out(scene: Scene) -> None:
    """16. The user is signed out in mid-flow: not_signed_in, and the popup is gone."""
    scene.rehearse("signed-out")
    popup = scene.connect()
    scene.wait_for_step("waiting")
    scene.button("End the session").click()
    told = scene.end()
    assert told.code == "not_signed_in"
    assert scene.popup_is_gone(popup)
    scene.note(16, "signed out in mid-flow", told, state="not_signed_in", timed=False)
