"""The texts that come with Hitchpost: each one, in each language."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import pytest

import bff.content
from bff.content import words
from bff.content.language_names import language
from bff.content.words import CATALOGUE, DEFAULTS, ERROR_CODES, LOCALES, Words
from bff.studio import scenes
from bff.studio.scenes import SCENES as PICTURES
from bff.studio.scenes import scene_of

FOLDER = Path(bff.content.__file__).parent / "locales"
PLACEHOLDER = re.compile(r"\{(\w+)\}")


@pytest.mark.parametrize("locale", LOCALES)
def test_every_language_has_every_text(locale: str) -> None:
    """The same keys in the same order as the catalogue; plain strings, with nothing in them but text.

    They are what a page in this language shows.
    """
    shown = Words(None, [locale])
    assert shown.lang == locale
    found = tomllib.loads((FOLDER / f"{locale}.toml").read_text(encoding="utf-8"))
    assert list(found) == list(CATALOGUE)
    for key, text in found.items():
        assert isinstance(text, str)
        assert shown.text(key) == text, key
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
    """A sentence for whoever writes their own, and a picture that shows it; a mail is its own."""
    for key in CATALOGUE.values():
        assert key.description.endswith("."), key.name
        assert key.scene in {*PICTURES, "mail"}, key.name
    assert {f"error_{code}" for code in ERROR_CODES} <= set(PICTURES)


def test_a_fresh_start_reads_what_the_files_say() -> None:
    """Every text and every line about it: nothing is left out, renamed or made up."""
    fresh = runpy.run_path(words.__file__, run_name=words.__name__)
    written = tomllib.loads((FOLDER / "catalogue.toml").read_text(encoding="utf-8"))
    assert list(fresh["CATALOGUE"]) == list(written)
    for name, entry in written.items():
        key = fresh["CATALOGUE"][name]
        told = {"placeholders": [], **entry}
        assert (key.name, key.description, key.scene) == (name, told["description"], told["scene"])
        assert key.placeholders == tuple(told["placeholders"])
    for locale in LOCALES:
        texts = (FOLDER / f"{locale}.toml").read_text(encoding="utf-8")
        assert fresh["DEFAULTS"][locale] == tomllib.loads(texts)


def test_every_picture_has_a_title_in_words() -> None:
    """Codes are for programs: no title has an underscore, and no two are alike."""
    fresh = runpy.run_path(scenes.__file__, run_name=scenes.__name__)["SCENES"]
    titles = [scene.title for scene in fresh.values()]
    assert all(re.fullmatch(r"[A-Z][a-z]+(?:[-: ]+[a-z]+)*", title) for title in titles)
    assert len(set(titles)) == len(titles)
    assert fresh["account_mismatch"].title == "Ended: account mismatch"


def test_a_word_is_shown_in_its_own_picture() -> None:
    """Words of a mail, and those that there are not, are in none."""
    for key in CATALOGUE.values():
        assert scene_of(key.name) == PICTURES.get(key.scene)
    assert scene_of("button") == PICTURES["button"]
    assert scene_of("mail_invite_subject") is None
    assert scene_of("no_such_word") is None


def test_languages_are_called_by_their_names() -> None:
    """Those that Hitchpost comes in are all known; another reads as its tag."""
    assert all(language(locale) != locale for locale in LOCALES)
    assert language("de-AT") == "German (Austria)"
    assert language("tlh") == "tlh"
    assert language("*") == "every language"
