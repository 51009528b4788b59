"""The callback message is the team's text with known variables in it, and nothing else."""

import json

import pytest

from bff.core import messages
from bff.core.model import MessageKind, MessageTemplate

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


@pytest.mark.parametrize("text", ["", "two\nlines", "tab\t", "x" * 501])
def test_texts_that_cannot_travel_are_refused(text: str) -> None:
    """Empty, over-long and control-character texts are refused when saved."""
    assert messages.faults(plain(text))


def test_a_sealed_message_carries_the_nonce_and_the_text() -> None:
    """What the partner posts for a sealed message is JSON with the team's own text inside."""
    wire = messages.wire_text(MessageKind.SEALED, 'say "hi" 🎉', attempt="att_1", nonce="n")
    assert json.loads(wire) == {
        "type": "hitchpost.callback",
        "attempt": "att_1",
        "nonce": "n",
        "message": 'say "hi" 🎉',
    }


def test_a_plain_message_is_posted_as_it_stands() -> None:
    """For pages that already listen for `done`, the partner posts exactly `done`."""
    assert messages.wire_text(MessageKind.PLAIN, "done", attempt="att_1", nonce="n") == "done"
