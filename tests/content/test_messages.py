"""The callback message is the team's text with known variables in it, and nothing else."""

import json
from collections.abc import Callable

import pytest

from bff.content import messages
from bff.content.minted_url import LONGEST_CONNECTOR_ID, LONGEST_TOKEN, length_fault, sign_in_url, url_length
from bff.content.product import Message, MessageFormat, MessageKind, MessageTemplate

VARIABLES = dict.fromkeys(messages.VARIABLES, "?") | {"connector": "sandbox", "user": "Zoë & {attempt}"}


def plain(text: str) -> MessageTemplate:
    return MessageTemplate(MessageKind.PLAIN, text)


def test_known_variables_are_expanded() -> None:
    """A variable in braces becomes its value."""
    assert messages.render(plain("connected:{connector}"), VARIABLES) == "connected:sandbox"


def test_a_value_is_never_expanded_again() -> None:
    """A value that looks like a variable stays as the user wrote it."""
    assert messages.render(plain("{user}"), VARIABLES) == "Zoë & {attempt}"


def test_a_json_message_keeps_its_braces() -> None:
    """A team may send a JSON object; only the variables inside it change."""
    rendered = messages.render(plain('{"a":"{connector}","b":{"c":1}}'), VARIABLES)
    assert json.loads(rendered) == {"a": "sandbox", "b": {"c": 1}}


@pytest.mark.parametrize("text", ["{secret}", "{}", "{connector.key}", "{connector-key}", "{ attempt }"])
def test_unknown_variables_are_refused(text: str) -> None:
    """A variable that does not exist is named, with those that do."""
    assert any("use one of" in fault for fault in messages.faults(plain(text)))


@pytest.mark.parametrize("text", ["", "two\nlines", "tab\t", "half \ud83d"])
def test_texts_that_cannot_travel_are_refused(text: str) -> None:
    """Empty texts, control characters and halves of a character are refused when saved."""
    assert messages.faults(plain(text))


def test_a_message_has_the_languages_of_its_variants() -> None:
    """Of those for every connector and for this one; a text for any language is in none."""
    places = [("*", "*"), ("*", "pt"), ("crm", "*"), ("crm", "it"), ("mail", "nl")]
    message = Message(MessageKind.PLAIN, dict.fromkeys(places, "done"))
    assert message.languages("crm") == {"pt", "it"}


def test_a_sealed_message_carries_the_nonce_and_the_text() -> None:
    """What the partner posts for a sealed message is JSON with the team's own text inside."""
    wire = messages.callback_message_of(MessageKind.SEALED, 'say "hi" 🎉', attempt="att_1", nonce="n")
    assert json.loads(wire) == {
        "type": "hitchpost.callback",
        "attempt": "att_1",
        "nonce": "n",
        "message": 'say "hi" 🎉',
    }


def test_a_plain_message_is_posted_as_it_stands() -> None:
    """For pages that already listen for `done`, the partner posts exactly `done`."""
    assert messages.callback_message_of(MessageKind.PLAIN, "done", attempt="att_1", nonce="n") == "done"


def as_json(text: str) -> MessageTemplate:
    return MessageTemplate(MessageKind.PLAIN, text, MessageFormat.JSON)


def test_a_value_cannot_end_the_json_string_that_it_stands_in() -> None:
    """In the JSON format a value with quotes, backslashes and line breaks stays one string."""
    values = VARIABLES | {"user": 'a"b\\c\n{connector}'}
    rendered = messages.render(as_json('{"who": ["{user}"], "n": 1.50, "ok": true}'), values)
    assert json.loads(rendered) == {"who": ['a"b\\c\n{connector}'], "n": 1.5, "ok": True}
    assert " " not in rendered.replace(values["user"], "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": }', "line 1, column 7"),
        ('["{user}"]', "write a JSON object"),
        ('{"a": NaN}', "NaN"),
        ('{"a": 1e999}', "no JSON"),
        ('{"a": "\\n"}', "control character"),
        ('{"a": "\\ud800"}', "control character"),
        ('{"a": "{password}"}', "{password} is no variable"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_broken_json_is_refused_with_its_place(text: str, said: str) -> None:
    """What is wrong, and where; a JSON object is what a page can be sent."""
    assert any(said in fault for fault in messages.faults(as_json(text)))


def test_a_message_that_no_url_could_carry_is_refused() -> None:
    """The whole minted URL counts, percent-encoding and the longest connector included."""
    fits, too_long = plain("x" * 1500), plain("é" * 400)
    where = ("https://partner.example", ["https://app.example"], [("crm", "CRM"), ("books", "Books " * 30)])
    assert length_fault(fits, *where) == []
    assert "shorten" in length_fault(too_long, *where)[0]
    named = plain("{connector_name}" + "x" * 1650)
    assert length_fault(named, where[0], where[1], [("crm", "CRM")]) == []
    assert length_fault(named, *where)


def test_the_length_is_that_of_a_url() -> None:
    """The computed length is exactly the one of a URL with a token as long as allowed for."""
    wire = messages.callback_message_of(MessageKind.SEALED, "é 🎉 +&%#", attempt="att_1", nonce="n")
    url = sign_in_url("https://p.example", LONGEST_CONNECTOR_ID, LONGEST_TOKEN, "https://app.example", wire)
    assert url_length("https://p.example", "https://app.example", wire) == len(url.reveal())


def test_an_unknown_variable_is_answered_with_those_that_there_are() -> None:
    """By name, in their order; what is known, and what is no name, is no fault."""
    (fault,) = messages.faults(plain('{Secret} {attempt} {connector} {"a":1} {1}'))
    known = "{attempt}, {connector}, {connector_name}, {account}, {user}, {locale}"
    assert fault == f"{{Secret}} is no variable; use one of {known}"


@pytest.mark.parametrize("written", ["{{connector}}", "{{ connector }}", "${connector}", "%{connector}"])
@pytest.mark.parametrize("as_kind", [plain, lambda text: as_json('{"a": {"b": "' + text + '"}}')])
def test_a_variable_in_the_notation_of_others_is_refused(
    as_kind: Callable[[str], MessageTemplate], written: str
) -> None:
    """A page would be sent its braces."""
    found = messages.faults(as_kind(f"to {written}"))
    assert any("write {connector} here" in fault for fault in found), found
    assert messages.faults(as_kind("$ {connector}")) == []


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ('{"type": "connected", "meta": {}}', []),
        ('{"meta": [{ }], "of": {"connector": {}}}', []),
        ('{"meta": {}, "{who}": "{\\u0069d}", "a": {"b": "{}"}}', ["{who}", "{id}", "{}"]),
    ],
)
@pytest.mark.parametrize("as_kind", [plain, as_json])
def test_variables_of_json_stand_in_its_names_and_strings(
    as_kind: Callable[[str], MessageTemplate], text: str, unknown: list[str]
) -> None:
    """The braces of its objects are no variables, empty ones included."""
    assert [fault.partition(" is no variable")[0] for fault in messages.faults(as_kind(text))] == unknown


def test_an_empty_object_is_a_message() -> None:
    """As JSON. As a text it is a variable without a name."""
    assert messages.faults(as_json("{}")) == []
    assert messages.faults(plain("{}")) != []


def test_braces_of_broken_json_are_not_taken_for_variables() -> None:
    """The one fault to mend is where the JSON breaks."""
    (fault,) = messages.faults(as_json('{"meta": {},}'))
    assert "there is a comma after the last entry" in fault


@pytest.mark.parametrize("name", ["connector name", "użytkownik", "élan"])
def test_an_unknown_variable_is_one_in_any_script_and_with_spaces(name: str) -> None:
    """It is no text."""
    assert f"{{{name}}} is no variable" in messages.faults(plain(f"to {{{name}}}"))[0]


def test_each_fault_of_a_text_is_told_once() -> None:
    """An empty one, a control character, and what is no JSON object."""
    for blank in ("", "  ", "\u200b"):
        (empty,) = messages.faults(plain(blank))
        assert empty.startswith("the text is empty")
    assert messages.faults(plain("two\nlines")) == [messages.CONTROL]
    assert messages.faults(as_json('{"a": ["x", {"b": "\\n"}]}')) == [messages.CONTROL]
    assert messages.faults(as_json('{"a\\t": 1}')) == [messages.CONTROL]
    assert messages.faults(as_json('{"a": ["x", {"b": [null, 1, true]}]}')) == []
    (fault,) = messages.faults(as_json("[]"))
    assert fault.startswith("write a JSON object")
