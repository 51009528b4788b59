"""The main flow in a real browser: a click, a popup, a third party, and a page that knows."""

from __future__ import annotations

from tests.support.host_page import HostPage


def test_allow_ends_connected(page: HostPage) -> None:
    """The user allows: the page says connected, the popup is gone, and the server says the same."""
    popup = page.connect()
    page.decide("Allow")
    assert page.status("connected", "failed", "declined") == "connected"
    assert page.popup_is_gone(popup)
    assert page.stack.attempt(page.result()["attempt"])["status"] == "connected"


def test_deny_ends_declined(page: HostPage) -> None:
    """The user denies: the page says declined, the popup is gone, and the server says the same."""
    popup = page.connect()
    page.decide("Deny")
    assert page.status("declined", "failed", "connected") == "declined"
    assert page.popup_is_gone(popup)
    assert page.stack.attempt(page.result()["attempt"])["status"] == "declined"
