"""Pages that cut the popup off from its opener."""

from __future__ import annotations

import pytest

from tests.support.scene import Scene


@pytest.mark.parametrize("connector", [pytest.param("isolated", marks=pytest.mark.every_engine), "hop"])
def test_the_third_party_isolates_itself(scene: Scene, connector: str) -> None:
    """5. COOP same-origin on its pages, or on a bare redirect: connected, and no false ending in between."""
    scene.rehearse(connector)
    scene.connect(f"{connector.title()} CRM")
    scene.wait_for_step("waiting")
    scene.switch_to_other_window()
    scene.press_in_popup("Allow")
    told = scene.end()
    assert told.status == "connected"
    assert len(scene.endings()) == 1
    ending = "provider isolates its pages" if connector == "isolated" else "provider isolates a bare 302"
    # Its last page closes the window, as nobody else can: from then on the user is back.
    scene.note(5, ending, told, reach="gone")


def test_host_with_coop_allow_popups(scene: Scene) -> None:
    """6. The host page sends COOP same-origin-allow-popups: connected."""
    scene.rehearse("coop-popups")
    popup = scene.connect()
    scene.decide("Allow")
    told = scene.end()
    assert told.status == "connected"
    assert scene.popup_is_gone(popup)
    scene.note(6, "host with COOP same-origin-allow-popups", told, reach="message")


@pytest.mark.repetition
def test_host_with_coop(scene: Scene) -> None:
    """7. The host page sends COOP same-origin: an offer to continue in this tab, and connected after it."""
    scene.rehearse("coop")
    scene.close_popup(scene.connect())
    scene.wait_for_choice("Continue in this tab", seconds=15)
    assert not scene.endings()
    scene.button("Continue in this tab").click()
    scene.press_in_popup("Allow")
    told = scene.end()
    assert told.status == "connected"
    assert scene.driver.current_url.startswith(scene.stack.host)
    scene.note(7, "host with COOP same-origin", told, state="offer, then connected", timed=False)


@pytest.mark.parametrize("connector", [pytest.param("sandbox", marks=pytest.mark.repetition), "isolated"])
def test_reconnect(scene: Scene, connector: str) -> None:
    """18. Reconnect: connected only for a sign-in that finished after this launch."""
    name = "Sandbox CRM" if connector == "sandbox" else "Isolated CRM"
    scene.rehearse()
    scene.connect(name)
    scene.decide("Allow")
    first = scene.end()
    scene.connect(name)
    scene.front()
    scene.wait(lambda: scene.steps().count("waiting") == 2)
    second = scene.attempt_now()
    assert second != first.attempt
    # The old connection stands all the while: asked again and again, it must not pass for the new sign-in.
    scene.wait(lambda: scene.checks(second) >= 2)
    assert scene.server_says(second)["status"] == "launched"
    assert len(scene.endings()) == 1
    scene.switch_to_other_window()
    scene.press_in_popup("Allow")
    told = scene.end(attempt=second)
    assert told.status == "connected"
    reach = "message" if connector == "sandbox" else "gone"
    scene.note(18, f"reconnect, {name.split(maxsplit=1)[0].lower()} provider", told, reach=reach)
