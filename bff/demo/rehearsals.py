"""Rehearsals: each arranges one outcome of a Connect click, for developers of hosts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Rehearsal:
    """One outcome: what to do, what the page then learns, and how the demo's page differs.

    ``connector``: the one to press. ``headers``: added to the page. ``blocks``: simulate a popup blocker.
    ``delivery``: set on the widget's elements. ``brief_sessions``: session tokens expire after a second.
    ``control``: the action of a button on the page, of ``CONTROLS``. ``framed``: show the page in a
    cross-site frame. ``unconnected``: leave the BFF out of ``connect-src``.
    """

    key: str
    title: str
    do: str
    learns: str
    connector: str = "sandbox"
    headers: dict[str, str] = field(default_factory=dict)
    blocks: bool = False
    delivery: str | None = None
    brief_sessions: bool = False
    control: str | None = None
    framed: bool = False
    unconnected: bool = False


PAUSE_SECONDS: Final = 20
CONTROLS: Final = {
    "bff": f"Pause the BFF for {PAUSE_SECONDS} seconds",
    "partner": f"Pause the partner service for {PAUSE_SECONDS} seconds",
    "sign-out": "End the session",
}
COOP: Final = "Cross-Origin-Opener-Policy"

REHEARSALS: Final = (
    Rehearsal("allow", "The user allows", "Press Connect, then Allow.", "connected"),
    Rehearsal("deny", "The user denies", "Press Connect, then Deny.", "declined"),
    Rehearsal(
        "close",
        "The user closes the window",
        "Press Connect, then close the window.",
        "unsure, with Open again and Cancel",
    ),
    Rehearsal(
        "slow",
        "The third party is slow",
        "Press Connect, then Allow, and close the window while it works.",
        "connected, although the window was gone",
        connector="sandbox-slow",
    ),
    Rehearsal(
        "isolated",
        "The third party isolates its window",
        "Press Connect, then Allow. The page cannot reach that window.",
        "connected",
        connector="sandbox-isolated",
    ),
    Rehearsal(
        "hop",
        "A redirect isolates the window",
        "Press Connect, then Allow.",
        "connected",
        connector="sandbox-hop",
    ),
    Rehearsal(
        "broken",
        "The third party fails",
        "Press Connect, then Allow.",
        "failed, with words and a support code",
        connector="sandbox-broken",
    ),
    Rehearsal(
        "garbled",
        "The third party answers nonsense",
        "Press Connect, then Allow.",
        "failed, with words and a support code",
        connector="sandbox-garbled",
    ),
    Rehearsal(
        "silent",
        "The third party never comes back",
        "Press Connect, then Allow, and close the window.",
        "unsure, and expired after 15 minutes",
        connector="sandbox-silent",
    ),
    Rehearsal(
        "stranger",
        "Another account signs in at a reconnect",
        "Press Connect and Allow, twice.",
        "account_mismatch, with Use this account instead and Try again",
        connector="sandbox-stranger",
    ),
    Rehearsal(
        "blocked",
        "The browser blocks the window",
        "Press Connect.",
        "popup_blocked, with Open again and Continue in this tab",
        blocks=True,
    ),
    Rehearsal(
        "same-tab",
        "The sign-in takes this tab",
        "Press Connect, then Allow.",
        "connected, back on this page",
        delivery="return",
    ),
    Rehearsal(
        "coop-popups",
        "This page sends COOP same-origin-allow-popups",
        "Press Connect, then Allow.",
        "connected",
        headers={COOP: "same-origin-allow-popups"},
    ),
    Rehearsal(
        "coop",
        "This page sends COOP same-origin",
        "Press Connect, close the window, then Continue in this tab.",
        "an offer to continue in this tab, then connected",
        headers={COOP: "same-origin"},
    ),
    Rehearsal(
        "reload",
        "The page is reloaded in mid-flow",
        "Press Connect, reload this page, then Allow.",
        "connected, on the page that was reloaded",
    ),
    Rehearsal(
        "network",
        "The network is lost in mid-flow",
        "Press Connect, pause the BFF below, then Allow.",
        "connected, once the BFF answers again",
        control="bff",
    ),
    Rehearsal(
        "partner-down",
        "The partner service is down",
        "Pause it below, then press Connect.",
        "partner_unavailable, in the window and on the page",
        control="partner",
    ),
    Rehearsal(
        "short-session",
        "The session ends in mid-flow",
        "Press Connect, wait two seconds, then Allow.",
        "connected: the session was renewed meanwhile",
        brief_sessions=True,
    ),
    Rehearsal(
        "signed-out",
        "The user is signed out in mid-flow",
        "Press Connect, then End the session below.",
        "not_signed_in",
        brief_sessions=True,
        control="sign-out",
    ),
    Rehearsal(
        "framed", "This page is inside a frame", "Press Connect, then Allow.", "connected", framed=True
    ),
    Rehearsal(
        "csp",
        "This page's CSP leaves the BFF out",
        "Look at the button and at the console.",
        "one clear line saying what to add",
        unconnected=True,
    ),
)
"""In the order of the demo's list. The ordinary page already has a strict CSP and Trusted Types."""

BY_KEY: Final = {rehearsal.key: rehearsal for rehearsal in REHEARSALS}
EVERYDAY: Final = Rehearsal("", "", "", "")
