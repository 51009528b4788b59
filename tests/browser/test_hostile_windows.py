"""Windows that mean harm while a sign-in is under way: the page's own frames, and the third party's page."""

from __future__ import annotations

from tests.support.host_page import HostPage

FORGE = """
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
"""By the timer and the focus, in the seconds that this takes; one for each message would be thousands."""


def test_a27_forged_messages_end_nothing_and_ask_nothing(page: HostPage) -> None:
    """Thousands: from the page's own window, and from the popup itself while the third party has it."""
    popup = page.connect()
    page.wait(lambda: page.driver.current_url.startswith(page.stack.sandbox))
    page.front()
    before = page.driver.execute_script(READS)
    page.driver.execute_script(FORGE, "self")
    page.driver.switch_to.window(popup)
    page.driver.execute_script(FORGE, "opener")
    page.front()
    assert page.driver.execute_script(READS) - before <= MOST_READS
    assert page.status_now() not in {"connected", "declined", "failed", "cancelled", "expired"}
    page.driver.switch_to.window(popup)
    page.decide("Allow")
    assert page.status("connected", "failed", "declined") == "connected"
