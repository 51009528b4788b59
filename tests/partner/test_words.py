"""The end pages' words: each page in each language, and which language a browser gets."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pytest

import bff.partner
from bff.partner.errors import Reason
from bff.partner.sign_in.words import LOCALES, WORDS, best
from tests.partner.endings import ENDINGS, Service, Visitor, open_service

FOLDER = Path(bff.partner.__file__).parent / "sign_in/locales"
TEXTS = {lang: tomllib.loads((FOLDER / f"{lang}.toml").read_text(encoding="utf-8")) for lang in LOCALES}
OTHERS = [lang for lang in LOCALES if lang != "en"]
SINGLE = ["dir", "go_back", "close", "try_again", "end", "separator"]
CANNOT = "This sign-in cannot go on"
ENGLISH = {
    "finished": ("Connected", "The sign-in is finished. You can close this window."),
    "bad_link": ("Bad Request", "This link is not complete. Check: id, targetOrigin."),
    "used_link": (
        "403 – Forbidden: Access is denied.",  # noqa: RUF001  # as Cyclr writes it
        "This sign-in link was used already, or its time is over. Go back and start again.",
    ),
    "unknown_connector": ("Not found", "There is no such connector in this account."),
    "not_in_browser": ("Bad Request", "This connector is not signed in to in a browser."),
    "unset_properties": ("Bad Request", "Set these properties first: Region, Subdomain."),
    "stale_flow": (
        CANNOT,
        (
            "It was finished already, its time is over, or it was started in another browser."
            " Go back and start again."
        ),
    ),
    "no_cookie": (
        CANNOT,
        (
            "This browser shows nothing of how it began: it was started in another browser, or cookies are"
            " blocked here. Allow cookies for this page, then go back and start again."
        ),
    ),
    "finishing": ("Finishing…", "Your sign-in is being finished. This page goes on by itself."),
    "not_offered": (CANNOT, "The connector is no longer offered."),
    "wrong_issuer": (CANNOT, "The answer came from somebody else."),
    "removed": ("This connector was removed", "It was removed while you were signing in."),
    "declined": ("Access was declined", "Nothing was connected. You can close this window."),
    "other_account": (
        "You signed in with another account",
        "The account that was connected before is still connected. Go back to choose which to use.",
    ),
    "failed": ("The sign-in did not work", "Nothing was connected. Close this window and try again."),
    "really_declined": (
        "Did you decline?",
        (
            "We heard that access was declined, but not for which sign-in. If it was you, end the sign-in"
            " here. If not, close this window: your sign-in goes on."
        ),
    ),
    "too_many": ("Too many tries at once", "Wait a minute, then go back and start again."),
}
NAMES = {"bad_link": ["id", "targetOrigin"], "unset_properties": ["Region", "Subdomain"]}
CODES = {
    "wrong_issuer": "wrong_issuer",
    "declined": "access_denied",
    "other_account": "account_mismatch",
    "failed": "<b>server_error</b>",
}


class Page(HTMLParser):
    """What a page shows: its texts in order by the element around each, and each element's attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[tuple[str, str]] = []
        self.elements: dict[str, dict[str, str | None]] = {}
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self._within = tag
        self.elements[tag] = dict(attrs)

    def handle_data(self, data: str) -> None:
        """Text."""
        if data.strip() and self._within not in {"script", "style"}:
            self.texts.append((self._within, data))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all of these."""
    with open_service(tmp_path_factory.mktemp("words")) as running:
        yield running


def expected(lang: str, reason: str) -> tuple[str, str]:
    """Title and explanation, as the language's own file has them."""
    if lang == "en":
        return ENGLISH[reason]
    texts = TEXTS[lang]
    names = [f"\u2068{name}\u2069" if lang == "ar" else name for name in NAMES.get(reason, [])]
    explanation = texts[reason]["explanation"].replace("{names}", texts["separator"].join(names))
    return texts[reason]["title"], explanation


@pytest.mark.parametrize("lang", LOCALES)
def test_each_ending_is_told_in_each_language(lang: str) -> None:
    """Title and explanation, and the names in it."""
    for reason in get_args(Reason):
        assert WORDS[lang].ending(reason, NAMES.get(reason, [])) == expected(lang, reason)


SHAPES = ("finished", "bad_link", "failed", "too_many", "really_declined")
"""Endings whose pages have something that the others have not."""


@pytest.mark.parametrize(
    ("reason", "lang"),
    [
        *((reason, "en") for reason in get_args(Reason)),
        *((reason, lang) for reason in SHAPES for lang in ("ar", "de")),
    ],
)
def test_each_page_speaks_its_language(service: Service, reason: Reason, lang: str) -> None:
    """Title, explanation and button are the language's, and nothing else is on the page but a code."""
    answer = ENDINGS[reason](Visitor(service, lang))
    page, (title, explanation) = Page(answer.text), expected(lang, reason)
    shown = [("title", title), ("h1", title), ("p", explanation)]
    if reason in CODES:
        shown.append(("code", CODES[reason]))
    if reason == "too_many":
        shown.append(("a", "Try again" if lang == "en" else TEXTS[lang]["try_again"]))
    if reason == "really_declined":
        shown.append(("button", "End the sign-in" if lang == "en" else TEXTS[lang]["end"]))
    if reason != "finished":
        shown.append(("button", "Close this window" if lang == "en" else TEXTS[lang]["close"]))
    assert page.texts == shown
    assert page.elements["html"] == {"lang": lang, "dir": "rtl" if lang == "ar" else "ltr"}
    assert answer.headers["Vary"] == "Accept-Language"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_the_way_back_speaks_its_language(service: Service, lang: str) -> None:
    """Where no message was asked for, the page offers a link instead of closing."""
    visitor = Visitor(service, lang, message=None)
    page = Page(visitor.answer(visitor.begin(visitor.install()), error="access_denied").text)
    assert page.texts[-1] == ("a", "Go back" if lang == "en" else TEXTS[lang]["go_back"])


def test_a_third_partys_code_stays_as_it_came(service: Service) -> None:
    """From left to right also where the page runs from right to left, and never as markup."""
    text = ENDINGS["failed"](Visitor(service, "ar")).text
    assert '<code dir="ltr">&lt;b&gt;server_error&lt;/b&gt;</code>' in text


@pytest.mark.parametrize("error", ["account_mismatch", "declined", "connected"])
def test_a_third_party_cannot_choose_the_words(service: Service, error: str) -> None:
    """Its error is a code on the page of a failure, whatever it is called; in English for who wants none."""
    visitor = Visitor(service, None)
    page = Page(visitor.answer(visitor.begin(visitor.install()), error=error).text)
    assert page.texts[1] == ("h1", "The sign-in did not work")
    assert page.elements["html"]["lang"] == "en"


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("", "en"),
        ("da", "en"),
        ("*", "en"),
        ("de", "de"),
        ("de-CH", "de"),
        ("AR-eg", "ar"),
        ("ja_JP", "ja"),
        ("zh-Hant-TW, es-419", "es"),
        ("de-CH, en;q=0.5", "de"),
        ("en;q=0.3, ja;q=0.9", "ja"),
        ("fr-CA;q=0.8, es;q=0.9", "es"),
        ("da, fr;q=0.2", "fr"),
        ("da, *;q=0.9, fr;q=0.1", "fr"),
        ("de;q=0, fr;q=0.1", "fr"),
        ("de-CH, de;q=0, en;q=0.1", "en"),
        ("den, frx", "en"),
        (",;q=1,, \u00fc;q=x", "en"),
    ],
)
def test_the_most_wanted_language_is_spoken(header: str, lang: str) -> None:
    """By quality, then by order; a region is served by its language; for any other it is English."""
    assert best(header).lang == lang


@pytest.mark.parametrize("lang", LOCALES)
def test_every_language_has_every_text(lang: str) -> None:
    """The same keys in the same order; plain texts, in their final form."""
    found = TEXTS[lang]
    assert list(found) == [*SINGLE, *get_args(Reason)]
    for reason in get_args(Reason):
        assert list(found[reason]) == ["title", "explanation"]
    for text in all_texts(found):
        assert text == text.strip() != ""
        assert text.replace("\u202f", "").isprintable()


@pytest.mark.parametrize("lang", LOCALES)
def test_every_placeholder_is_kept(lang: str) -> None:
    """Each explanation lists names where the English one does, once, and has no others."""
    for reason in get_args(Reason):
        texts = TEXTS[lang][reason]
        assert re.findall(r"\{.*?\}", texts["title"]) == []
        assert re.findall(r"\{.*?\}", texts["explanation"]) == ["{names}"] * (reason in NAMES), reason


@pytest.mark.parametrize("lang", OTHERS)
def test_nothing_is_left_in_english(lang: str) -> None:
    """No text is the English one, and none borrows from it."""
    pairs = zip(all_texts(TEXTS[lang]), all_texts(TEXTS["en"]), strict=True)
    assert [text for text, english in pairs if text == english] == []
    words = set(re.findall(r"[a-z]+", " ".join(all_texts(TEXTS[lang])).replace("{names}", "").lower()))
    assert words & {"the", "this", "sign", "window", "access"} == set()


@pytest.mark.parametrize(
    ("lang", "letters"), [("ja", r"[\u3040-\u30ff\u4e00-\u9fff]"), ("ar", r"[\u0600-\u06ff]")]
)
def test_a_script_of_its_own_is_used(lang: str, letters: str) -> None:
    """No text in it has Latin letters, beside its placeholder."""
    for text in all_texts(TEXTS[lang]):
        assert re.search(letters, text), text
        assert not re.search(r"[A-Za-z]", text.replace("{names}", "")), text


def test_french_spaces_do_not_break() -> None:
    """A narrow no-break space stands before a colon and the like, and the apostrophe is the curved one."""
    for text in all_texts(TEXTS["fr"]):
        assert not re.search(r"(?<!\u202f)[:;!?]", text), text
        assert "'" not in text


def all_texts(found: dict[str, Any]) -> list[str]:
    """Every sentence of a language."""
    endings = [text for reason in get_args(Reason) for text in found[reason].values()]
    return [found["go_back"], found["close"], *endings]
