"""The texts that come with Hitchpost: each one, in each language."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import bff.core
from bff.core.words import CATALOGUE, DEFAULTS, ERROR_CODES, LOCALES, WIDGET

FOLDER = Path(bff.core.__file__).parent / "locales"
PLACEHOLDER = re.compile(r"\{(\w+)\}")
WIDGETS_OWN = {"button", "opening_step", *WIDGET} - {"opening", "open_again", "cancel", "continue_here"}
PAGES = {"opening", "stranded", "interstitial", "in_app", "return", "return_done", "error"}
SCENES = (
    WIDGETS_OWN | {f"page_{page}" for page in PAGES} | {f"error_{code}" for code in ERROR_CODES} | {"mail"}
)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_language_has_every_text(locale: str) -> None:
    """The same keys in the same order as the catalogue; plain strings, with nothing in them but text."""
    found = tomllib.loads((FOLDER / f"{locale}.toml").read_text(encoding="utf-8"))
    assert list(found) == list(CATALOGUE)
    for key, text in found.items():
        assert isinstance(text, str)
        assert text.strip() == text != "", key
        assert text.replace("\u202f", "").isprintable(), key


@pytest.mark.parametrize("locale", LOCALES)
def test_every_placeholder_is_kept(locale: str) -> None:
    """Each once, and no others."""
    for key, text in DEFAULTS[locale].items():
        assert sorted(PLACEHOLDER.findall(text)) == sorted(CATALOGUE[key].placeholders), key


@pytest.mark.parametrize("locale", [locale for locale in LOCALES if locale != "en"])
def test_nothing_is_left_in_english(locale: str) -> None:
    """No text is the English one."""
    assert [key for key, text in DEFAULTS[locale].items() if text == DEFAULTS["en"][key]] == []


def test_french_spaces_do_not_break() -> None:
    """A narrow no-break space stands before a colon and the like, and the apostrophe is the curved one."""
    for key, text in DEFAULTS["fr"].items():
        assert not re.search(r"(?<!\u202f)[:;!?]", text), key
        assert "'" not in text, key


def test_every_text_says_where_it_stands() -> None:
    """A sentence for whoever writes their own, and a picture that shows it."""
    for key in CATALOGUE.values():
        assert key.description.endswith("."), key.name
        assert key.scene in SCENES, key.name
