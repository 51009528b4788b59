"""What the Studio says of entries: their names, and which text whose users get, and why."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bff.content.entries import path_of_text, path_of_word
from bff.content.messages import SAMPLE, SAMPLE_NONCE
from bff.content.minted_url import MOST
from bff.content.product import (
    MessageFormat,
    MessageKind,
    MessageTemplate,
    OfferedConnector,
    Registration,
    is_draft,
)
from bff.content.words import CATALOGUE
from bff.studio.access import email_fault
from bff.studio.editing import (
    MessagePreview,
    audience,
    explanation,
    field_id,
    label,
    languages_in_use,
    page_of,
    previews,
    template_of,
    text_for,
)
from bff.studio.scenes import SCENES, scene_of

NAMES = {"hubspot": "HubSpot", "crm": "CRM"}
REGISTRATION = Registration(
    "demo",
    "Demo",
    ("https://app.example",),
    tuple(OfferedConnector(key, name, key) for key, name in NAMES.items()),
)


@pytest.mark.parametrize(
    ("place", "locale", "said"),
    [
        (("hubspot", "de"), "de", "the HubSpot text in German"),
        (("hubspot", "de"), "th", "the HubSpot text in German, as there is none for HubSpot in Thai"),
        (("hubspot", "*"), "de", "the HubSpot text, as there is none for HubSpot in German"),
        (("hubspot", "*"), "*", "the HubSpot text"),
        (("*", "de"), "de", "the text in German, as there is none for HubSpot"),
        (("*", "*"), "de", "the text for everybody, as there is none for HubSpot or in German"),
        (("*", "*"), "*", "the text for everybody, as there is none for HubSpot"),
    ],
)  # fmt: skip
def test_why_a_text_was_taken(place: tuple[str, str], locale: str, said: str) -> None:
    """It names the text, and why it is not a closer one."""
    assert explanation(place, "hubspot", locale, NAMES) == said


def test_a_connector_that_is_offered_no_longer_is_called_by_its_key() -> None:
    """Its texts are still there, and have to be found."""
    gone = ("old-crm", "de")
    assert (
        explanation(("*", "*"), "old-crm", "*", NAMES)
        == "the text for everybody, as there is none for old-crm"
    )
    assert explanation(("old-crm", "*"), *gone, NAMES).endswith("as there is none for old-crm in German")
    assert text_for(gone, NAMES) == "the old-crm text in German"
    assert audience(gone, NAMES) == "For old-crm users in German"


@pytest.mark.parametrize(
    ("place", "called", "read_by"),
    [
        (("*", "*"), "the text for everybody", "For everybody"),
        (("*", "de"), "the text in German", "For everybody in German"),
        (("crm", "*"), "the CRM text", "For CRM users"),
        (("crm", "de"), "the CRM text in German", "For CRM users in German"),
    ],
)
def test_a_text_is_called_by_whom_it_is_for(place: tuple[str, str], called: str, read_by: str) -> None:
    """In a sentence, and as a heading."""
    assert (text_for(place, NAMES), audience(place, NAMES)) == (called, read_by)


CONTENT = {
    path_of_text("default"): "hello {user}",
    path_of_text("default", "hubspot", "de"): "hallo {connector_name} {connector} {locale}",
    path_of_text("default", "crm"): "{nothing}",
    path_of_text("other", "crm", "fr"): "bonjour",
}


def rows(content: dict[str, str], name: str = "default") -> dict[tuple[str, str], MessagePreview]:
    """What is sent to whom."""
    return {(row.connector, row.locale): row for row in previews(content, REGISTRATION, NAMES, name)}


def test_what_is_sent_to_whom() -> None:
    """A row for each connector, in each language in use and in any other, which is filled as in English."""
    found = previews(CONTENT, REGISTRATION, NAMES, "default")
    assert [(row.connector, row.locale) for row in found] == [(k, at) for k in NAMES for at in ("de", "*")]
    german, other = found[:2]
    assert german.message == "hallo HubSpot hubspot de"
    assert '"message":"hallo HubSpot hubspot de"' in (german.callback_message or "")
    assert german.place == ("hubspot", "de")
    assert german.why == "the HubSpot text in German"
    assert german.fits
    assert other.message == "hello ada-3f1c9a5d-7e8b-4206"
    assert other.place == ("*", "*")
    assert other.why == "the text for everybody, as there is none for HubSpot"
    any_language = {path_of_text("default", "crm"): "{locale} {connector} {connector_name}"}
    assert rows(any_language)["crm", "*"].message == "en crm CRM"


def test_a_faulty_text_is_sent_to_nobody() -> None:
    """The row says which text it would be; its length is no trouble of its own."""
    row = rows(CONTENT)["crm", "de"]
    assert (row.message, row.callback_message, row.length, row.place) == (None, None, 0, ("crm", "*"))
    assert row.why == "the CRM text, as there is none for CRM in German"
    nonsense = {**CONTENT, "messages/default/kind": "shouted"}
    assert rows(nonsense)["hubspot", "de"].message is None


def test_whoever_has_no_text_is_sent_nothing() -> None:
    """A message that was written for one connector and language has one row."""
    assert list(rows(CONTENT, "other")) == [("crm", "fr")]
    assert rows(CONTENT, "third") == {}


def test_a_message_is_shown_as_it_is_posted() -> None:
    """A sealed one (as all are that say nothing) with the sample's attempt and nonce; a plain one bare."""
    text = {path_of_text("default"): "{attempt}"}
    sealed = rows(text)["crm", "*"]
    assert sealed.message == SAMPLE["attempt"]
    assert json.loads(sealed.callback_message or "") == {
        "type": "hitchpost.callback",
        "attempt": SAMPLE["attempt"],
        "nonce": SAMPLE_NONCE,
        "message": SAMPLE["attempt"],
    }
    plain = rows({**text, "messages/default/kind": "plain"})["crm", "*"]
    assert plain.callback_message == plain.message == SAMPLE["attempt"]


def test_a_text_is_of_its_messages_kind_and_format() -> None:
    """Sealed text where nothing is said; none where there is no such kind or format."""
    assert template_of({}, "done", "x") == MessageTemplate(MessageKind.SEALED, "x", MessageFormat.TEXT)
    content = {"messages/done/kind": "plain", "messages/done/format": "json"}
    assert template_of(content, "done", "{}") == MessageTemplate(MessageKind.PLAIN, "{}", MessageFormat.JSON)
    assert template_of(content, "other", "{}") == template_of({}, "other", "{}")
    assert template_of({"messages/done/format": "xml"}, "done", "x") is None


def test_a_message_that_is_too_long_does_not_fit() -> None:
    """The URL that would carry it is longer than every browser takes: for the longest origin, there."""
    text = path_of_text("default")
    spare = MOST - rows({text: "x"})["crm", "*"].length
    assert rows({text: "x" * (spare + 1)})["crm", "*"].fits
    assert not rows({text: "x" * (spare + 2)})["crm", "*"].fits
    longer = replace(
        REGISTRATION, origins=("https://a.example", "https://app.example.org", "https://b.example")
    )
    longer = replace(longer, service_url=f"{REGISTRATION.service_url}/here")
    [row, *_] = previews({text: "x"}, longer, NAMES, "default")
    assert row.length == MOST - spare + len(".org") + len("/here")


def test_every_entry_has_a_name_and_a_page() -> None:
    """As people call it; and where it is edited."""
    named = {
        path_of_text("default", "crm"): ("Message “default”: the CRM text", "messages/default"),
        "messages/done/kind": ("Message “done”: kind", "messages/done"),
        path_of_word("open_again", "hubspot", "pt-BR"): (
            "Words: Open again, Portuguese (Brazil) for HubSpot",
            "words?locale=pt-BR&connector=hubspot&open=button",
        ),
        "look/accent_ink": ("Look: button text", "look"),
        "connectors/order": ("Connectors: their order", "connectors"),
        "connectors/crm/name": ("Connectors: name of crm", "connectors"),
        path_of_word("button", "*", "de"): (
            "Words: Button, German",
            "words?locale=de&connector=*&open=button",
        ),
        path_of_word("button", "gone", "de"): (
            "Words: Button, German for gone",
            "words?locale=de&connector=gone&open=button",
        ),
        "look/glow": ("Look: glow", "look"),
        "messages/done": ("messages/done", "messages/done"),
        "nonsense": ("nonsense", "changes"),
        "": ("The whole content", "changes"),
    }  # fmt: skip
    assert {path: (label(path, NAMES), page_of(path)) for path in named} == named


def test_each_field_of_a_page_has_an_id_of_its_own() -> None:
    """One that a link and a stylesheet can name: no star, no slash."""
    assert field_id(path_of_text("default", "crm")) == "f-messages-default-text-crm-any"


def test_only_the_studio_shows_drafts() -> None:
    """A draft's key is the product's with a mark behind it that no registered key can hold."""
    assert is_draft("demo~draft")
    assert not is_draft("demo")


def test_the_languages_in_use() -> None:
    """Those that are always offered in their order, then what some text or word was written in, each once."""
    content = {
        path_of_text("default"): "x",
        path_of_text("default", "crm", "pt-BR"): "x",
        path_of_text("done", "*", "da"): "x",
        path_of_word("button", "*", "cs"): "x",
        path_of_word("button", "crm", "da"): "x",
        path_of_word("title", "*", "*"): "x",
        "messages/done/kind": "plain",
    }
    assert languages_in_use(content, ["en", "da", "ar"]) == ["en", "da", "ar", "cs", "pt-BR"]
    assert languages_in_use(content) == ["cs", "da", "pt-BR"]
    assert languages_in_use({}) == []


def test_every_word_on_a_page_can_be_looked_at() -> None:
    """Each text of the catalogue has a scene, unless it is of a mail."""
    for key, known in CATALOGUE.items():
        assert scene_of(key) == SCENES.get(known.scene)
        assert (scene_of(key) is None) == (known.scene == "mail"), key


@pytest.mark.parametrize(
    "text", ["", "ada", "@x", "a b@c.example", "a@b@c", "a@c?x=1", "a@c.example\n", "<a@b.c>"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """It stands in a mail's link and beside what its owner writes."""
    assert email_fault(text)
