"""The fields of a look, and the syntax of their values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from bff.content.colours import is_colour


@dataclass(frozen=True)
class Field:
    """One field. ``default`` is its value while it is not set: empty for no logo."""

    label: str
    description: str
    kind: Literal["colour", "length", "font", "image"]
    default: str


COLOURS: Final = ("accent", "accent_ink", "ink", "paper")
"""The colours of a scheme. Each has a second field for dark, with the suffix ``_dark``."""

FIELDS: Final[Mapping[str, Field]] = MappingProxyType(
    {
        "accent": Field("Accent", "Buttons, links and the focus ring.", "colour", "#1d4ed8"),
        "accent_ink": Field("Button text", "What stands on a button.", "colour", "#ffffff"),
        "ink": Field("Text", "Headings and text; quiet text is a mix with the paper.", "colour", "#1c2330"),
        "paper": Field("Paper", "What the text stands on.", "colour", "#ffffff"),
        "accent_dark": Field("Accent (dark)", "The accent in the dark scheme.", "colour", "#93c5fd"),
        "accent_ink_dark": Field("Button text (dark)", "The same in the dark scheme.", "colour", "#000000"),
        "ink_dark": Field("Text (dark)", "Headings and text in the dark scheme.", "colour", "#eef1f6"),
        "paper_dark": Field(
            "Paper (dark)", "What the text stands on in the dark scheme.", "colour", "#181d27"
        ),
        "radius": Field("Corners", "How round they are: 0, 8px or 0.5em, say.", "length", "0.5em"),
        "font": Field(
            "Font",
            'Families in the order of preference: Inter, "Segoe UI", sans-serif. They are not loaded: '
            "the user's device has them, or the next one is taken. Without any, a button has its page's own.",
            "font",
            "system-ui, sans-serif",
        ),
        "logo": Field("Logo", "In place of the product's name on the popup's pages.", "image", ""),
        "logo_dark": Field("Logo (dark)", "The logo in the dark scheme, if it needs another.", "image", ""),
    }
)

MOST_FONT: Final = 200
_MOST: Final = MappingProxyType({"px": 48.0, "rem": 3.0, "em": 3.0})
_LENGTH: Final = re.compile(r"([0-9]{0,3}(?:\.[0-9]{1,4})?)(px|rem|em)")
_IMAGE: Final = re.compile(r"[0-9a-f]{64}\.(?:png|jpg|webp|svg)")
_BARE: Final = re.compile(r"[A-Za-z-][A-Za-z0-9-]*(?: +[A-Za-z0-9-]+)*")
_QUOTED: Final = re.compile(r"""(["'])([A-Za-z0-9 -]*[A-Za-z0-9][A-Za-z0-9 -]*)\1""")
_GENERIC: Final = frozenset(
    {
        "serif",
        "sans-serif",
        "monospace",
        "system-ui",
        "ui-serif",
        "ui-sans-serif",
        "ui-monospace",
        "ui-rounded",
    }
)


def syntax_fault(field: str, text: str) -> str | None:
    """Say why ``text`` is invalid in ``field``, and what is valid. A text without a fault is safe in CSS."""
    known = FIELDS.get(field)
    if known is None:
        return f"there is no such field; there are {', '.join(FIELDS)}"
    shown = text if len(text) <= 40 else text[:40] + "…"
    match known.kind:
        case "colour" if not is_colour(text):
            return f"{shown!r} is no colour; write # and six digits (0-9, a-f), such as {known.default}"
        case "length" if not _is_length(text):
            return f"{shown!r} is no length from 0 to 48px or 3rem; write 8px or 0.5rem, say"
        case "font":
            return _font_fault(text, shown)
        case "image" if not _IMAGE.fullmatch(text):
            return f"{shown!r} is no image that was put up; put the file up again"
    return None


def families(font: str) -> str:
    """A valid font list for a stylesheet: all names except generic families are quoted."""
    names = [name.strip().strip("\"'").strip() for name in font.split(",")]
    # Unquoted, "inherit" or "initial" would be a CSS keyword, which applies to the custom property itself.
    return ",".join(name.lower() if name.lower() in _GENERIC else f'"{name}"' for name in names)


def _is_length(text: str) -> bool:
    match = _LENGTH.fullmatch(text)
    return text == "0" or (match is not None and match[1] != "" and float(match[1]) <= _MOST[match[2]])


def _font_fault(text: str, shown: str) -> str | None:
    if len(text) > MOST_FONT:
        return f"the list of fonts has {len(text)} characters; at most {MOST_FONT} are kept"
    for name in text.split(","):
        if not _BARE.fullmatch(name.strip(" ")) and not _QUOTED.fullmatch(name.strip(" ")):
            return (
                f"{shown!r} is no list of fonts; write names of letters, digits, spaces and hyphens, "
                'with commas between them, such as Inter, "Segoe UI", sans-serif'
            )
    return None
