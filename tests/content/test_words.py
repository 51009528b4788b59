"""A product's own texts, and what stands in for the ones that it does not have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bff.content.wording import ANY
from bff.content.words import (
    CATALOGUE,
    DEFAULTS,
    ERROR_CODES,
    LOCALES,
    TOLD_BY_BROWSER,
    Words,
    faults,
    widget_words,
)
from tests.support.core import PRODUCT

OWN = replace(
    PRODUCT,
    words={
        "cancel": {(ANY, ANY): "Stop"},
        "open_again": {(ANY, "de"): "Fenster holen", (ANY, "en"): "Fetch the window"},
        "button": {("crm", "de"): "{connector_name} anbinden", (ANY, "pt"): "Ligar {connector_name}"},
    },
)


def test_each_key_falls_back_by_itself() -> None:
    """The product's text in this language, its text for all, then the one that comes with Hitchpost."""
    german = Words(OWN, ["de-AT"], "crm")
    assert (german.lang, german.dir) == ("de", "ltr")
    assert german.text("button", connector_name="CRM") == "CRM anbinden"
    assert german.text("open_again") == "Fenster holen"
    assert german.text("cancel") == "Stop"
    assert german.text("continue_here") == DEFAULTS["de"]["continue_here"]


def test_another_connectors_text_is_not_taken() -> None:
    """A text for one connector stands for that one alone."""
    assert Words(OWN, ["de"], "books").text("button") == DEFAULTS["de"]["button"]


def test_a_language_of_the_teams_own_falls_back_to_their_english() -> None:
    """What is missing in a language that Hitchpost does not come in is read in English, the team's first."""
    portuguese = Words(OWN, ["pt-BR"], "crm")
    assert portuguese.lang == "pt"
    assert portuguese.text("button", connector_name="CRM") == "Ligar CRM"
    assert portuguese.text("open_again") == "Fetch the window"
    assert portuguese.text("continue_here") == DEFAULTS["en"]["continue_here"]


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_is_there_in_every_language(locale: str) -> None:
    """No key is without a text of its own language."""
    words = Words(None, [locale])
    assert words.lang == locale
    assert all(words.text(key) == DEFAULTS[locale][key] for key in CATALOGUE)


def test_a_value_is_text_and_nothing_else() -> None:
    """Placeholders inside a value stay as they are, and so does markup."""
    assert Words(None).text("button", connector_name="<b>{x}</b>") == "Connect <b>{x}</b>"


def test_the_widget_gets_one_language_and_what_differs() -> None:
    """One text a key, each connector's button, and another text only for the connector that has one."""
    product = replace(OWN, words={**OWN.words, "waiting": {("crm", ANY): "CRM opens."}})
    shared, told = widget_words(product, ["de"], {"crm": "CRM", "books": "Bücher"})
    assert shared.lang == "de"
    assert told["crm button"] == "CRM anbinden"
    assert "Bücher" in told["books button"]
    assert told["crm waiting"] == "CRM opens."
    assert "books waiting" not in told
    assert told["cancel"] == "Stop"
    for code in TOLD_BY_BROWSER:
        for part in ("title", "next_step"):
            assert told[f"error_{code}_{part}"] == DEFAULTS["de"][f"error_{code}_{part}"]
    assert not [key for key in told if "page_" in key or "mail_" in key]


@pytest.mark.parametrize("code", [*ERROR_CODES, "no_such_code", "FAILED"])
def test_every_error_has_a_title_and_a_next_step(code: str) -> None:
    """A code that nobody knows reads as a failure."""
    known = code if code in ERROR_CODES else "failed"
    said = (DEFAULTS["de"][f"error_{known}_title"], DEFAULTS["de"][f"error_{known}_next_step"])
    assert Words(None, ["de"]).error(code) == said


def test_a_text_that_is_nowhere_is_empty() -> None:
    """A page would rather miss a line than break."""
    assert Words(OWN, ["de"], "crm").text("no_such_text") == ""


def test_a_text_may_have_five_hundred_characters() -> None:
    """And not one more."""
    assert faults("cancel", "x" * 500) == []


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("buton", "x", "no such text"),
        ("button", "Verbinden", "{connector_name}"),
        ("cancel", "a\nb", "control character"),
        ("cancel", "x" * 501, "at most 500"),
    ],
)
def test_a_faulty_text_is_refused_with_what_to_write(key: str, text: str, said: str) -> None:
    """An unknown key, a lost placeholder, a line break, a text that is too long."""
    assert said in faults(key, text)[0]
