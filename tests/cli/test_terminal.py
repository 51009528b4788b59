"""What commands print is text: an id, a name or a text that somebody else chose steers no terminal."""

from __future__ import annotations

import re
import sys
import tomllib

import pytest
from sqlalchemy import update

from bff.cli import main as cli
from bff.cli.messages import print_changes
from bff.content.drafts import Change
from bff.content.entries import path_of_word
from bff.content.file import write_content
from bff.partner.__main__ import main as partner
from bff.partner.storage import tables
from bff.serving.terminal import plain
from tests.partner.test_grants import environment
from tests.support.world import World

STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
EVIL = "a\x9b2Jb\u202ec\u2028ended: connected"
SEEN = "a<U+009B>2Jb<U+202E>c<U+2028>ended: connected"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_whatever_a_command_prints_steers_no_terminal(
    capsys: pytest.CaptureFixture[str], stream: str
) -> None:
    """Control characters, C1 too, and bidirectional controls are shown by their number."""
    with plain():
        print("\x1b]0;title\x07\x1b[2J\x9b31m\u202e\u2066fine: \u00e4\u200d\t.", file=getattr(sys, stream))
    shown = getattr(capsys.readouterr(), stream.removeprefix("std"))
    assert shown == ("<U+001B>]0;title<U+0007><U+001B>[2J<U+009B>31m<U+202E><U+2066>fine: \u00e4\u200d\t.\n")


def test_the_story_of_an_attempt_shows_ids_as_text(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account or user id has no line of its own, and no control of the terminal."""
    world.account = EVIL
    code = world.begin(world.session(user=EVIL))["support_code"]
    monkeypatch.setenv("HITCHPOST_DATABASE_URL", world.bff_database)
    capsys.readouterr()
    # As a mail program wrote it, without quotation marks around it.
    assert cli.main(["attempts", "show", "Code:", code.lower().replace("-", "\u2013") + "."]) == 0
    shown = capsys.readouterr().out
    assert f"account {SEEN}, user {SEEN}, connector" in shown
    assert STEERS.search(shown) is None
    # The running BFF writes its log meanwhile.
    story = [line for line in shown.splitlines() if "[info" not in line]
    assert len(story) == 3, shown


def test_the_list_of_grants_shows_names_as_text(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the third party calls an account, and the account's id here."""
    for name, value in environment(world).items():
        monkeypatch.setenv(name, value)
    world.account = "of\x9b31mf"
    attempt = world.connect(world.session(), "sandbox")
    assert world.read(attempt)["status"] == "connected"
    table = tables.account_connector
    with world.partner_service.database.writing() as connection:
        named = update(table).where(table.c.account_id == world.account)
        connection.execute(named.values(external_account="x\x1b]0;y\x07\nlive  account acme  1"))
    assert partner(["grants", "list", "sandbox"]) == 0
    lines = [line for line in capsys.readouterr().out.split("\n") if "of<U+009B>31mf" in line]
    assert len(lines) == 1
    assert lines[0].endswith(
        "x<U+001B>]0;y<U+0007><U+000A>live  account acme  1  contacts.read contacts.write"
    )


def test_a_text_cannot_pass_for_another_change(capsys: pytest.CaptureFixture[str]) -> None:
    """What `messages import` shows of a text: each of its lines has the sign of its change."""
    print_changes("demo", [Change(path_of_word("cancel"), None, "fine\n  words.button\r\x9b31m\n    - Pay")])
    shown = capsys.readouterr().out.splitlines()[2:]
    assert shown == ["    + fine", "    +   words.button<U+000D><U+009B>31m", "    +     - Pay"]


def test_an_exported_file_is_text_and_keeps_every_character() -> None:
    """On standard output too: what would steer a terminal is escaped, as TOML has it, DEL as well."""
    text = "a\x1b[2J\x7f\x9b31m\u202eb\u2028c \u00e4\u200d\U0001f600"
    written = write_content("demo", {path_of_word("cancel"): text})
    assert STEERS.search(written) is None
    assert tomllib.loads(written)["product"][0]["words"]["cancel"] == text
