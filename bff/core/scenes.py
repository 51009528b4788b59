"""The pictures that a product team can look at: the button in each state, and each page of the popup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bff.core.words import CATALOGUE, ERROR_CODES

BUTTON: Final = "button"
ALL_BUTTONS: Final = "buttons"


@dataclass(frozen=True)
class Scene:
    """One picture: the button, driven there by ``step`` or ``code``, or a page (template and state)."""

    key: str
    title: str
    step: str | None = None
    code: str | None = None
    page: str | None = None
    state: str | None = None


def _title(code: str) -> str:
    return code.replace("_", " ").capitalize()


_STEPS: Final = {
    "opening": "Opening the window",
    "waiting": "Waiting for the user",
    "unsure": "The window seems closed",
    "popup_blocked": "The window was blocked",
    "finishing": "Finishing",
}
_PAGES: Final = (
    Scene("page_opening", "Window: opening", page="opening.html"),
    Scene("page_stranded", "Window: has lost its page", page="opening.html", state="stranded"),
    Scene("page_interstitial", "Window: asking first", page="interstitial.html"),
    Scene("page_in_app", "Window: inside another app", page="in_app.html"),
    Scene("page_return", "Window: coming back", page="return.html"),
    Scene("page_return_done", "Window: done", page="return.html", state="done"),
    Scene("page_error", "Window: an error", page="error.html", code="failed"),
)
_FAILURES: Final = tuple(code for code in ERROR_CODES if code not in {"launch_refused", "not_found"})

SCENES: Final = {
    scene.key: scene
    for scene in (
        Scene(BUTTON, "The button"),
        Scene(ALL_BUTTONS, "All buttons"),
        *(Scene(step, title, step=step) for step, title in _STEPS.items()),
        Scene("connected", "Connected", code="connected"),
        *(
            Scene(code if code not in _STEPS else f"error_{code}", _title(code), code=code)
            for code in _FAILURES
        ),
        *_PAGES,
    )
}
"""By key, in the order in which users meet them."""


def scene_of(word: str) -> str:
    """The scene that shows a word: the one that the catalogue names, or the nearest."""
    known = CATALOGUE.get(word)
    named = known.scene if known else ""
    code = word.removeprefix("error_").removesuffix("_title").removesuffix("_next_step")
    wanted: tuple[str, ...]
    if word.startswith("error_"):
        wanted = (f"error_{code}", code if code not in _STEPS else "", "page_error")
    elif word.startswith("page_"):
        wanted = (named if named.startswith("page_") else f"page_{named}", word, "page_error")
    else:
        wanted = (named, word)
    return next((key for key in wanted if key in SCENES), BUTTON)
