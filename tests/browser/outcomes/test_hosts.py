"""Host pages in frames, and with strict policies."""

from __future__ import annotations

import pytest
import requests

from tests.support.scene import Scene


@pytest.mark.every_engine
def test_framed_host(scene: Scene) -> None:
    """20. The host page is inside a frame of another site: connected."""
    scene.driver.get(scene.stack.host.replace("localhost", "127.0.0.1") + "/framed")
    scene.framed = True
    scene.front()
    popup = scene.connect()
    scene.decide("Allow")
    told = scene.end()
    assert told.status == "connected"
    assert scene.popup_is_gone(popup)
    scene.note(20, "host page in a cross-origin frame", told, reach="message")


@pytest.mark.repetition
def test_strict_policy(scene: Scene) -> None:
    """21. The host page has a strict CSP and requires Trusted Types: connected."""
    scene.rehearse()
    scene.connect()
    scene.decide("Allow")
    told = scene.end()
    assert told.status == "connected"
    scene.note(21, "strict CSP and Trusted Types", told, reach="message")


def test_a31_policy_without_the_bff(scene: Scene) -> None:
    """21. connect-src lacks the BFF: the page says what to add, at once, and a click does not hang.

    The rest of the policy is that of the page on which all else is played: strict, with Trusted Types.
    """
    policy = requests.get(scene.stack.host, timeout=10).headers["Content-Security-Policy"]
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    scene.rehearse("csp")
    advice = f"add {scene.stack.bff} to connect-src"
    scene.wait(lambda: advice in " ".join(scene.shown()))
    scene.button("Connect").click()
    scene.wait(scene.endings)
    detail = scene.endings()[0]["detail"]
    assert detail["code"] == "invalid_request"
    assert advice in detail["title"]
    scene.wait(lambda: len(scene.driver.window_handles) == 1)
    scene.note(21, "connect-src lacks the BFF", state="invalid_request: what to add to the policy")
