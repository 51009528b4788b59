"""Scenes: the states of the button and the pages of the popup that the Studio can preview."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bff.content.words import CATALOGUE, ERROR_CODES

BUTTON: Final = "button"
ALL_BUTTONS: Final = "buttons"


@dataclass(frozen=True)
class Scene:
    """One preview: an element in the state ``step`` or ``code``, or a page (its template and state).

    ``account`` shows the element with connected accounts. ``tag`` is the name of the element.
    """

    key: str
    title: str
    step: str | None = None
    code: str | None = None
    page: str | None = None
    state: str | None = None
    account: str | None = None
    tag: str = "hitchpost-connect"


def _named(code: str) -> str:
    return code.replace("_", " ")


_STEPS: Final = (
    Scene("opening_step", "Opening the window", step="opening"),
    Scene("waiting", "Waiting for the user", step="waiting"),
    Scene("unsure", "The window seems closed", step="unsure"),
    Scene("not_loading", "The window does not load", step="not_loading"),
    Scene("cut_off", "The window cannot be reached", step="cut_off"),
    Scene("interrupted", "Interrupted before its end", step="interrupted"),
    Scene("popup_blocked", "The window was blocked", step="popup_blocked"),
    Scene("finishing", "Finishing", step="finishing"),
    Scene("connected", "Connected", code="connected"),
)
_ACCOUNTS: Final = (
    Scene("account", "Connected: whose account", account="connected"),
    Scene("accounts", "Connected: several accounts", account="several"),
    Scene("pending", "Somebody signs in now", account="pending"),
    Scene("unknown", "Not known now", account="unknown"),
    Scene("needs_reconnect", "Needs a new sign-in", account="needs_reconnect"),
    Scene("disconnect", "Asking before it ends", account="asked"),
    Scene("connections_few", "The list: no search", account="few", tag="hitchpost-connections"),
    Scene("connections", "The list", account="list", tag="hitchpost-connections"),
    Scene("connections_none", "The list: nothing found", account="none", tag="hitchpost-connections"),
    Scene("connections_failed", "The list: cannot be loaded", account="failed", tag="hitchpost-connections"),
)
_ENDINGS: Final = ("declined", "failed", "expired", "cancelled", "account_mismatch")
_PAGES: Final = (
    Scene("page_opening", "Window: opening", page="opening.html"),
    Scene("page_waiting", "Window: waiting for a restart", page="waiting.html"),
    Scene("page_stranded", "Window: has lost its page", page="opening.html", state="stranded"),
    Scene("page_interstitial", "Window: asking first", page="interstitial.html"),
    Scene("page_in_app", "Window: inside another app", page="in_app.html"),
    Scene("page_form", "Window: asking for a key", page="form.html"),
    Scene("page_form_basic", "Window: asking for a password", page="form.html", state="basic"),
    Scene("page_form_client", "Window: asking for a client", page="form.html", state="client"),
    Scene("page_form_continue", "Window: asking before signing in", page="form.html", state="continue"),
    Scene("page_form_checking", "Window: trying what was typed", page="form.html", state="checking"),
    Scene("page_form_faults", "Window: what was typed is wrong", page="form.html", state="faults"),
    Scene("page_return", "Window: coming back", page="return.html"),
    Scene("page_return_ask", "Window: asking how it went", page="return.html", state="ask"),
    Scene("page_return_lost", "Window: the server does not answer", page="return.html", state="lost"),
    Scene("page_return_done", "Window: done", page="return.html", state="done"),
    Scene("page_error", "Window: an error", page="error.html", code="failed"),
)

SCENES: Final = {
    scene.key: scene
    for scene in (
        Scene(BUTTON, "The button"),
        Scene(ALL_BUTTONS, "All buttons"),
        *_STEPS,
        *_ACCOUNTS,
        *(Scene(code, f"Ended: {_named(code)}", code=code) for code in _ENDINGS),
        *_PAGES,
        *(
            Scene(f"error_{code}", f"Error: {_named(code)}", code=code, page="error.html")
            for code in ERROR_CODES
        ),
        Scene(
            "error_accounts_named", "Error: both accounts named", code="account_mismatch", page="error.html"
        ),
    )
}
"""Scenes by key, in the order in which users see them."""


def scene_of(word: str) -> Scene | None:
    """The scene that shows a text. None for one on no page, such as those of a mail."""
    known = CATALOGUE.get(word)
    return SCENES.get(known.scene) if known else None
