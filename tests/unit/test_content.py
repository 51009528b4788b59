"""What a product team owns: read from files, checked, written again, and made into what users meet."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.adapters.content_file import key_of, read_content, write_content
from bff.core.content import Registration, faults, path_of_text, path_of_word, product_of
from bff.core.model import OfferedConnector

HERE = Registration(
    "demo",
    "Demo",
    ("https://app.example",),
    (
        OfferedConnector("crm", "CRM", "crm"),
        OfferedConnector("books", "Books", "7", "https://x.example/l.png"),
    ),
    "https://partner.example",
)
SOUND = {
    "messages/default/kind": "sealed",
    "messages/default/format": "text",
    path_of_text("default"): 'say "hi" 🎉 {user}',
    path_of_text("default", "crm"): "crm",
    path_of_text("default", "crm", "de"): "crm auf Deutsch",
    path_of_text("default", locale="pt-BR"): "olá",
    "messages/object/kind": "plain",
    "messages/object/format": "json",
    path_of_text("object"): '{"type": "connected", "connector": "{connector}"}',
    path_of_word("button"): "Link {connector_name}",
    path_of_word("button", locale="de"): "{connector_name} verknüpfen",
    path_of_word("cancel", "crm", "ar"): "إلغاء",
    "look/accent": "#004080",
    "connectors/order": "books crm",
    "connectors/crm/name": "The CRM",
}


def test_sound_content_has_no_faults() -> None:
    """Everything that a team may write, at once."""
    assert faults(SOUND, HERE) == {}


def test_content_goes_through_a_file_unchanged(tmp_path: Path) -> None:
    """What `messages export` writes, `messages import` reads the same, entry by entry."""
    path = tmp_path / "demo.toml"
    path.write_text(write_content("demo", SOUND))
    assert read_content(path)["demo"].content == SOUND


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (path_of_text("default"), "{password}", "no variable"),
        (path_of_text("default"), "é" * 700, "shorten"),
        (path_of_text("default", "ghost"), "x", "no connector 'ghost'"),
        (path_of_text("default", locale="german"), "x", ""),
        (path_of_text("default", locale="DE"), "x", "language tag"),
        (path_of_text("new", "crm"), "x", ""),
        (path_of_text("object"), '{"a":', "no JSON"),
        ("messages/default/kind", "secret", "plain, sealed"),
        ("messages/Bad Name/kind", "plain", "name of a message"),
        (path_of_word("buton"), "x", "no such text"),
        (path_of_word("button"), "Link", "{connector_name}"),
        ("connectors/order", "books ghost", "'ghost'"),
        ("connectors/order", "books books", "twice"),
        ("connectors/crm/name", " ", "a name has"),
        ("connectors/ghost/name", "x", "no connector"),
        ("surprise", "x", "not known here"),
    ],
)
def test_each_fault_stands_at_its_entry(path: str, text: str, said: str) -> None:
    """By path, and with what to write instead."""
    found = faults(SOUND | {path: text}, HERE)
    if said:
        assert said in found[path][0]
    else:
        assert "german" in path or path_of_text("new") in found


def test_two_plain_messages_that_say_the_same_are_refused() -> None:
    """A page that listens for `done` could not tell which of the two was meant."""
    alike = {
        f"messages/{name}/{part}": text
        for name in ("one", "two")
        for part, text in (("kind", "plain"), ("text/*/*", "done"))
    }
    found = faults(alike, HERE)
    assert "'one' says the same" in found[path_of_text("two")][0]
    assert "'two' says the same" in found[path_of_text("one")][0]
    sealed = alike | {"messages/two/kind": "sealed"}
    assert faults(sealed, HERE) == {}


def test_users_meet_what_was_written() -> None:
    """Order and names of connectors, the message's variants, words and look."""
    product = product_of(HERE, SOUND, 7)
    assert [(offered.key, offered.name) for offered in product.connectors] == [
        ("books", "Books"),
        ("crm", "The CRM"),
    ]
    assert product.connectors[0].reference == "7"
    wanted = {("crm", "de-AT"): "crm auf Deutsch", ("crm", "fr"): "crm", ("books", "pt-BR"): "olá"}
    for (connector, locale), text in wanted.items():
        template = product.messages["default"].template(connector, locale)
        assert template is not None
        assert template.text == text
    assert product.version == 7


def test_users_never_meet_what_is_faulty() -> None:
    """A faulty entry is left out, and a message with one whole; the rest stands."""
    broken = SOUND | {path_of_text("default", "crm"): "{password}", path_of_word("button"): "Link"}
    product = product_of(HERE, broken)
    default = product.messages["default"].template("crm", "de")
    assert default is not None
    assert default.text == "connected:{connector}"
    assert ("*", "*") not in product.words["button"]
    assert ("*", "de") in product.words["button"]


@pytest.mark.parametrize(
    ("path", "key"),
    [
        (path_of_text("m"), "messages.m.text"),
        (path_of_text("m", "crm", "de"), "messages.m.variants (connector crm, locale de)"),
        (path_of_word("button", "crm", "de"), "connector.crm.words.de.button"),
        (path_of_word("button"), "words.button"),
        ("connectors/crm/name", "connector.crm.name"),
        ("look/accent", "look.accent"),
    ],
)
def test_a_fault_is_named_by_its_key_in_the_file(path: str, key: str) -> None:
    """Whoever keeps the texts in a file finds the line."""
    assert key_of(path) == key
