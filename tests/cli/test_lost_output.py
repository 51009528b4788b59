"""Commands whose output goes nowhere, or whose files cannot be written: one line, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bff.cli.main import main as hitchpost
from bff.serving.terminal import run_plainly
from tests.support.databases import sqlite_url

PRODUCT = """[[product]]
key = "demo"
name = "Demo"
origins = ["https://app.example"]
secret_keys = ["sk_a8f3k2l9x0q7w6e5r4t3y2"]
connectors = ["crm"]
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A database with a product."""
    monkeypatch.setenv("HITCHPOST_DATABASE_URL", sqlite_url(tmp_path, "bff"))
    (tmp_path / "products.toml").write_text(PRODUCT)
    assert hitchpost(["products", "apply", str(tmp_path / "products.toml")]) == 0
    return dict(os.environ)


def run(line: str, environment: dict[str, str], output: int = subprocess.PIPE) -> tuple[int, str]:
    """Run a line of a shell: its exit status, and everything complained of."""
    ended = subprocess.run(
        ["/bin/sh", "-c", f"exec {sys.executable} -m bff {line}"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stderr


COMMANDS = ["providers search", "partner --help", "messages export demo", "check-config --help"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_has_gone_is_no_trouble(command: str, settings: dict[str, str]) -> None:
    """The exit status is that of a program that SIGPIPE ends, and nothing is said."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert run(command, settings, writing) == (141, "")
    finally:
        os.close(writing)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_told_in_one_line(command: str, settings: dict[str, str]) -> None:
    """Exit status 2."""
    told = "standard output cannot be written: No space left on device\n"
    assert run(f"{command} > /dev/full", settings) == (2, told)


def test_a_closed_output_is_no_trouble(settings: dict[str, str]) -> None:
    """Nobody asked for it."""
    assert run("keys new >&-", settings) == (0, "")
    assert run("messages export nothing 2>&-", settings) == (2, "")
    assert run("messages export nothing 2>/dev/full", settings) == (2, "")


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
