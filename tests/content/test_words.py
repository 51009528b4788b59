"""A product's own texts, and what stands in for the ones that it does not have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bff.content.wording import ANY
from bff.content.words import (
    DEFAULTS,
    ERROR_CODES,
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


@pytest.mark.parametrize(
    ("written", "wanted", "direction"),
    [
        ("zh-Hans", ["zh-CN", "zh", "en"], "ltr"),
        ("es-419", ["es-MX", "es"], "ltr"),
        ("he", ["iw-IL"], "rtl"),
        ("no", ["nb-NO"], "ltr"),
    ],
)
def test_a_text_reaches_those_whose_tag_is_another(written: str, wanted: list[str], direction: str) -> None:
    """The page is told the language of the text. It goes before Hitchpost's texts in a wider one."""
    words = Words(replace(PRODUCT, words={"cancel": {(ANY, written): "Own"}}), wanted)
    assert (words.lang, words.dir, words.text("cancel")) == (written, direction, "Own")


def test_what_a_state_knows_is_filled_in() -> None:
    """And a text that names what is not known now is passed over: nobody reads its braces."""
    words = {
        "connected": {(ANY, ANY): "{connector_name} as {account}", ("books", ANY): "In {product_name}"},
        "waiting": {(ANY, "de"): "Weiter bei {connector_name}"},
    }
    product = replace(OWN, words=words)
    _, told = widget_words(product, ["de"], {"crm": "CRM", "books": "Books"}, {"crm": "ada@{x}"})
    assert told["crm connected"] == "CRM as ada@{x}"
    assert told["books connected"] == f"In {PRODUCT.name}"
    assert told["connected"] == DEFAULTS["de"]["connected"]
    assert told["crm waiting"] == "Weiter bei CRM"
    assert told["waiting"] == DEFAULTS["de"]["waiting"]
    assert (
        Words(product, ["de"], "crm").text("connected", connector_name="CRM") == DEFAULTS["de"]["connected"]
    )


def test_the_question_before_a_disconnect_names_no_account_for_the_widget() -> None:
    """Of several connections of a connector, only the widget knows which one the question is about."""
    _, told = widget_words(OWN, ["de"], {"crm": "CRM"}, {"crm": "ada@crm"})
    assert "crm disconnect_ask" not in told
    assert "{account}" in told["disconnect_ask"]
    own = replace(OWN, words={"disconnect_ask": {("crm", ANY): "{connector_name}: end {account}?"}})
    _, told = widget_words(own, ["de"], {"crm": "CRM"}, {"crm": "ada@crm"})
    assert told["crm disconnect_ask"] == "CRM: end {account}?"


def test_a_mismatch_names_both_accounts_where_they_are_known() -> None:
    """With Cyclr nobody knows them. What a team wrote of a mismatch stands in either case."""
    both = {"account": "ada@crm", "other_account": "grace@crm"}
    _, named = Words(None, ["de"]).error("account_mismatch", **both)
    assert "ada@crm ist weiterhin verbunden" in named
    assert "grace@crm" in named
    for unknown in ({}, {**both, "account": ""}, {"account": "ada@crm"}):
        said = Words(None, ["de"]).error("account_mismatch", **unknown)
        assert said[1] == DEFAULTS["de"]["error_account_mismatch_next_step"]
    own = replace(OWN, words={"error_account_mismatch_next_step": {(ANY, ANY): "Choose, {account}"}})
    assert Words(own, ["de"]).error("account_mismatch", **both)[1] == "Choose, ada@crm"
    assert "{" not in Words(own, ["de"]).error("account_mismatch")[1]


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


def test_a_value_is_text_and_nothing_else() -> None:
    """Placeholders inside a value stay as they are, and so does markup."""
    assert Words(None).text("button", connector_name="<b>{x}</b>") == "Connect <b>{x}</b>"
    told = Words(None).text("page_interstitial_title", connector_name="{product_name}", product_name="Demo")
    assert told == "Connect {product_name} to Demo?"


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
        (
            "cancel",
            "Stop {nope}",
            "nothing is known to stand for {nope} here; use {connector_name}, {product_name}",
        ),
        ("cancel", "Stop { connector_name }", "{ connector_name }"),
        ("cancel", "Stop {}", "{}"),
        ("waiting", "for {account}", "{account}"),
        ("mail_invite_subject", "{product_name} {connector_name}", "{connector_name}"),
        ("buton", "x", "no such text"),
        ("button", "Verbinden", "{connector_name}"),
        *(
            ("button", text, "a brace too many or too few")
            for text in (
                "Go {{connector_name}}",
                "Go {{ connector_name }} {connector_name}",
                "Go ${connector_name}",
                "Go %{connector_name}",
                "Go {connector_name}}",
                "Go {connector_name} {x",
                "Go {connector_name} {a b}",
            )
        ),
        ("cancel", "a\nb", "control character"),
        *(("cancel", blank, "the text is empty") for blank in ("", "   ", "\u200b", "\u00a0", "\u2800")),
        ("cancel", "x" * 501, "at most 500"),
    ],
)
def test_a_faulty_text_is_refused_with_what_to_write(key: str, text: str, said: str) -> None:
    """An unknown key, a lost placeholder, a line break, a blank text, one that is too long."""
    assert any(said in fault for fault in faults(key, text))


@pytest.mark.parametrize(
    "text",
    [
        "Go $ {connector_name}",
        "100 % {product_name}{connector_name}",
        "{connector_name}%",
        "{connector_name} {{ 7*7 }} ${7*7} {% raw %} {",
    ],
)
def test_signs_that_users_may_read_are_taken(text: str) -> None:
    """A sign counts only where it belongs to a placeholder of another language of templates."""
    assert faults("button", text) == []
