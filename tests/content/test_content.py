"""What a product team owns: read from files, checked, written again, and made into what users meet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bff.content.content import product_of
from bff.content.entries import path_of_text, path_of_word
from bff.content.faults import faults
from bff.content.file import key_of, read_content, write_content
from bff.content.product import MessageFormat, MessageKind, OfferedConnector, Registration

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
        (path_of_text("default", "crm", "de"), "{password}", "no variable"),
        (path_of_text("default"), "é" * 700, "shorten"),
        (path_of_text("default", "ghost"), "x", "no connector 'ghost'; offered: books, crm"),
        (path_of_text("default", locale="DE"), "x", "language tag"),
        (path_of_text("object"), '{"a":', "no JSON"),
        ("messages/default/kind", "secret", "plain, sealed"),
        ("messages/default/kind", "", "plain, sealed"),
        ("messages/default/format", "xml", "json, text"),
        ("messages/Bad Name/kind", "plain", "name of a message"),
        (path_of_word("buton"), "x", "no such text"),
        (path_of_word("button"), "Link", "{connector_name}"),
        ("connectors/order", "books ghost", "'ghost'"),
        ("connectors/order", "books books", "twice"),
        ("connectors/crm/name", " ", "a name has"),
        ("connectors/crm/name", "C" * 201, "a name has 1 to 200 characters"),
        ("connectors/crm/name", "C\nRM", "no line breaks"),
        ("connectors/ghost/name", "x", "no connector"),
        ("look/accent", "blue", "write # and six digits"),
        ("surprise", "x", "this key is not known here; remove it"),
        ("messages", "x", "this key is not known here; remove it"),
    ],
)
def test_each_fault_stands_at_its_entry(path: str, text: str, said: str) -> None:
    """By path, and with what to write instead; nothing else is blamed, and users meet the rest."""
    content = SOUND | {path: text}
    found = faults(content, HERE)
    assert list(found) == [path]
    assert said in found[path][0]
    assert product_of(HERE, content).connectors


def test_a_variant_needs_the_text_that_it_varies() -> None:
    """A message that only users of one connector could get is none; the text for all is asked for."""
    found = faults(SOUND | {path_of_text("new", "crm"): "x"}, HERE)
    assert found == {
        path_of_text("new"): ["the text for all connectors and languages is missing; write it first"]
    }


def test_a_message_is_sealed_text_unless_it_says_otherwise() -> None:
    """The safe kind, and any text at all: a message needs no more than its text."""
    content = {path_of_text("short"): "a {user}, no JSON"}
    assert faults(content, HERE) == {}
    message = product_of(HERE, content).messages["short"]
    assert (message.kind, message.format) == (MessageKind.SEALED, MessageFormat.TEXT)
    said = {"messages/object/kind": "plain", "messages/object/format": "json"}
    message = product_of(HERE, {path_of_text("object"): '{"type": "done"}', **said}).messages["object"]
    assert (message.kind, message.format) == (MessageKind.PLAIN, MessageFormat.JSON)


def test_what_is_as_long_as_may_be_is_kept() -> None:
    """A connector's name has 200 characters, and a product 5,000 entries; the next one is too much."""
    assert faults({"connectors/crm/name": "C" * 200}, HERE) == {}
    full = {f"surprise/{number}": "x" for number in range(5000)}
    assert "" not in faults(full, HERE)
    assert faults(full | {"surprise/more": "x"}, HERE)[""] == [
        "there are 5001 entries; at most 5000 are kept"
    ]


def test_a_text_is_measured_with_the_names_of_its_connectors() -> None:
    """A long name makes the URL too long for that connector's users alone, so its text alone is blamed."""
    long = HERE.connectors[0].name * 60
    content = {"connectors/crm/name": long}
    for connector in ("*", "crm", "books"):
        content[path_of_text("welcome", connector)] = "x" * 1500 + "{connector_name}"
    found = faults(content, HERE)
    assert set(found) == {path_of_text("welcome"), path_of_text("welcome", "crm")}
    content[path_of_text("welcome")] = "short"
    assert set(faults(content, HERE)) == {path_of_text("welcome", "crm")}


def test_a_connector_without_a_name_is_measured_by_its_key() -> None:
    """Before the partner service has told what it is called there."""
    nameless = replace(HERE, connectors=(OfferedConnector("c" * 60, "", "1"),))
    text = "x" * 1500 + "{connector_name}" * 10
    assert "shorten" in faults({path_of_text("welcome"): text}, nameless)[path_of_text("welcome")][0]
    named = replace(HERE, connectors=(OfferedConnector("c" * 60, "CRM", "1"),))
    assert faults({path_of_text("welcome"): text}, named) == {}


def test_a_sealed_text_leaves_room_for_its_seal() -> None:
    """What just fits as a plain text is too long with the attempt and its nonce around it."""
    text = path_of_text("welcome")
    fits = {text: "x" * 1700, "messages/welcome/kind": "plain"}
    assert faults(fits, HERE) == {}
    assert "shorten" in faults({text: fits[text]}, HERE)[text][0]


def test_a_text_is_measured_for_where_the_partner_service_is() -> None:
    """A longer address leaves less room for the message."""
    text = {path_of_text("welcome"): "x" * 1500}
    assert faults(text, HERE) == {}
    far = replace(HERE, service_url="https://" + "partner." * 40 + "example")
    assert "shorten" in faults(text, far)[path_of_text("welcome")][0]


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


def test_variants_of_plain_messages_are_told_apart_as_well() -> None:
    """Each is blamed at its own entry, also behind a sealed message; one message may repeat itself."""
    content = {
        "messages/a/kind": "sealed",
        path_of_text("a"): "done",
        "messages/one/kind": "plain",
        path_of_text("one"): "done",
        path_of_text("one", locale="de"): "done",
        "messages/two/kind": "plain",
        path_of_text("two"): "other",
        path_of_text("two", "crm", "de"): "done",
    }
    assert set(faults(content, HERE)) == {path_of_text("one"), path_of_text("two", "crm", "de")}
    content[path_of_text("two", "crm", "de")] = "other"
    assert faults(content, HERE) == {}


def test_users_meet_what_was_written() -> None:
    """Order and names of connectors, the message's variants, words and look."""
    product = product_of(HERE, SOUND, 7)
    assert [(offered.key, offered.name) for offered in product.connectors] == [
        ("books", "Books"),
        ("crm", "The CRM"),
    ]
    assert product.connectors[0].reference == "7"
    assert (product.key, product.name, product.origins) == ("demo", "Demo", ("https://app.example",))
    wanted = {("crm", "de-AT"): "crm auf Deutsch", ("crm", "fr"): "crm", ("books", "pt-BR"): "olá"}
    for (connector, locale), text in wanted.items():
        template = product.messages["default"].template(connector, locale)
        assert template is not None
        assert template.text == text
    assert product.words["cancel"] == {("crm", "ar"): "إلغاء"}
    assert product.look == {"accent": "#004080"}
    assert product.version == 7


def test_connectors_that_the_team_does_not_order_come_last() -> None:
    """As the operators listed them."""
    for order, keys in (("", ["crm", "books"]), ("books", ["books", "crm"]), ("crm", ["crm", "books"])):
        product = product_of(HERE, {"connectors/order": order})
        assert [offered.key for offered in product.connectors] == keys


def test_a_product_without_a_team_has_one_message() -> None:
    """Nobody has published anything: version 0, and a sealed message that names the connector."""
    product = product_of(HERE, {})
    assert product.version == 0
    assert {name: message.kind for name, message in product.messages.items()} == {
        "default": MessageKind.SEALED
    }
    template = product.messages["default"].template("crm", "de")
    assert template is not None
    assert template.text == "connected:{connector}"


def test_users_never_meet_what_is_faulty() -> None:
    """A faulty entry is left out, and a message with one whole; the rest stands."""
    broken = SOUND | {path_of_text("default", "crm"): "{password}", path_of_word("button"): "Link"}
    product = product_of(HERE, broken)
    default = product.messages["default"].template("crm", "de")
    assert default is not None
    assert default.text == "connected:{connector}"
    assert ("*", "*") not in product.words["button"]
    assert ("*", "de") in product.words["button"]
    assert "object" in product.messages


def test_a_look_with_a_fault_is_left_out_whole() -> None:
    """The ink of one colour is made for another: half a look is none."""
    content = {"look/accent": "blue", "look/radius": "2px", path_of_word("cancel"): "Stop"}
    product = product_of(HERE, content)
    assert product.look == {}
    assert product.words["cancel"] == {("*", "*"): "Stop"}


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
