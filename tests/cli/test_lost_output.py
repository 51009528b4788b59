"""Commands whose output goes nowhere, or whose files cannot be written: one line, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bff.cli.main import main as hitchpost
from bff.content.entries import path_of_word
from bff.content.file import read_content
from bff.content.store import ContentStore
from bff.serving.database import open_database
from bff.serving.terminal import run_plainly
from tests.support.databases import sqlite_url
from tests.support.forked import Commands, forked

PRODUCT = """[[product]]
key = "demo"
name = "Demo"
origins = ["https://app.example"]
secret_keys = ["sk_a8f3k2l9x0q7w6e5r4t3y2"]
connectors = ["crm"]
"""
MESSAGES = '[[product]]\nkey = "demo"\n[product.words]\n'


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A database with a product."""
    monkeypatch.setenv("HITCHPOST_DATABASE_URL", sqlite_url(tmp_path, "bff"))
    (tmp_path / "products.toml").write_text(PRODUCT)
    assert hitchpost(["products", "apply", str(tmp_path / "products.toml")]) == 0
    return dict(os.environ)


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """Runs each in a process of its own, that was not started for it alone."""
    with forked(tmp_path_factory.mktemp("commands")) as running:
        yield running


def run(line: str, environment: dict[str, str]) -> tuple[int, str]:
    """Run a line of a shell: its exit status, and everything complained of."""
    ended = subprocess.run(
        ["/bin/sh", "-c", f"exec {sys.executable} -m bff {line}"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stderr


COMMANDS = ["providers search", "partner --help", "messages export demo", "check-config --help"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_has_gone_is_no_trouble(
    command: str, settings: dict[str, str], commands: Commands
) -> None:
    """The exit status is that of a program that SIGPIPE ends, and nothing is said."""
    assert commands.run(command.split(), settings) == (141, "")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_told_in_one_line(command: str, settings: dict[str, str], commands: Commands) -> None:
    """Exit status 2."""
    told = "standard output cannot be written: No space left on device\n"
    assert commands.run(command.split(), settings, "/dev/full") == (2, told)


def test_a_closed_output_is_no_trouble(settings: dict[str, str]) -> None:
    """Nobody asked for it."""
    assert run("keys new >&-", settings) == (0, "")
    assert run("messages export nothing 2>&-", settings) == (2, "")
    assert run("messages export nothing 2>/dev/full", settings) == (2, "")


def test_a_closed_input_answers_no(settings: dict[str, str], tmp_path: Path) -> None:
    """As some programs that start others leave it: the question is not asked, and nothing is changed."""
    path = tmp_path / "messages.toml"
    path.write_text(f'{MESSAGES}cancel = "Stop"\n')
    told = "to publish this, run the command again with --yes\n"
    assert run(f"messages import {path} <&-", settings) == (1, told)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_what_a_terminal_cannot_show_is_escaped(
    settings: dict[str, str], commands: Commands, tmp_path: Path, encoding: str
) -> None:
    """By its number, and the rest as it is."""
    path, output = tmp_path / "messages.toml", tmp_path / "output"
    path.write_text(
        f'{MESSAGES}cancel = "Zur\u00fcck \u0625\u0644\u063a\u0627\u0621 stop"\n', encoding="utf-8"
    )
    line = ["messages", "import", str(path), "--yes"]
    assert commands.run(line, settings, str(output), encoding) == (0, "")
    shown = output.read_bytes().decode(encoding)
    assert shown.endswith(" stop\ndemo: published as version 2\n")
    assert ("Zur\u00fcck" in shown) == (encoding != "ascii")
    assert ("<U+0625>" in shown) == (encoding != "utf-8")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16"])
def test_a_file_on_standard_output_is_in_utf_8(
    settings: dict[str, str], commands: Commands, tmp_path: Path, encoding: str
) -> None:
    """Whatever the terminal's encoding is: the program itself reads no other."""
    path, output = tmp_path / "messages.toml", tmp_path / "output.toml"
    path.write_text(f'{MESSAGES}cancel = "Zur\u00fcck \u0625"\n', encoding="utf-8")
    assert hitchpost(["messages", "import", str(path), "--yes"]) == 0
    line = ["messages", "export", "demo"]
    assert commands.run(line, settings, str(output), encoding) == (0, "")
    assert read_content(output)["demo"].content[path_of_word("cancel")] == "Zur\u00fcck \u0625"


def test_a_user_without_a_name_publishes_by_number(
    settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As containers have it."""
    path = tmp_path / "messages.toml"
    path.write_text(f'{MESSAGES}cancel = "Stop"\n')
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2_000_000_000)
    assert hitchpost(["messages", "import", str(path), "--yes"]) == 0
    content = ContentStore(open_database(settings["HITCHPOST_DATABASE_URL"]), lambda: datetime.now(UTC))
    assert content.published("demo").by == "uid 2000000000"


@pytest.mark.parametrize(
    ("file", "told"),
    [("/dev/full", "No space left on device"), ("/", "Is a directory"), ("/nowhere/x.toml", "No such file")],
)
def test_a_file_that_cannot_be_written_is_told_in_one_line(
    settings: dict[str, str], file: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its name."""
    assert hitchpost(["messages", "export", "demo", file]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{file}: cannot be written: ")
    assert told in line


def test_a_folder_that_cannot_be_made_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same for every file and folder of a command, by its name."""
    monkeypatch.setenv("HITCHPOST_DEMO_DIR", "/dev/null/demo")
    assert hitchpost(["demo"]) == 2
    assert capsys.readouterr().err == "/dev/null/demo: Not a directory\n"


@pytest.mark.parametrize(
    ("ends", "status", "told"),
    [
        (EOFError, 2, "standard input has ended; what was asked was not answered\n"),
        (KeyboardInterrupt, 130, ""),
    ],
)
def test_a_command_that_is_left_ends_without_a_traceback(
    ends: type[BaseException], status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-D instead of an answer, and Ctrl-C."""

    def asks() -> int:
        raise ends

    assert run_plainly(asks) == status
    assert capsys.readouterr().err == told
