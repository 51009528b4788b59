"""Somebody finds a service that ships, and writes it into a catalogue of their own."""

from __future__ import annotations

import codecs
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from bff.partner.__main__ import main
from bff.partner.providers.catalogue import read_catalogue
from bff.partner.providers.shipped_entries import shipped

PLAIN = '[[connector]]\nid = 205\nkey = "ours"\nname = "Ours"\nauth = "none"\n'
Told = Callable[..., tuple[int, str, str]]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Told:
    """Run ``providers`` with these arguments: exit status, what it printed, what it complained of."""
    for name in ("HITCHPOST_EMBEDDED_CATALOGUE", "HITCHPOST_EMBEDDED_PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["providers", *arguments])
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return run


def test_hitchpost_providers_is_the_partner_services_command() -> None:
    """``hitchpost providers`` hands over to the program that knows the catalogue, status and all."""
    command = [sys.executable, "-m", "bff", "providers", "show", "no-such-service"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env={**os.environ})
    assert ran.returncode == 2
    assert "no service that ships is called 'no-such-service'" in ran.stderr


def test_search_takes_words_of_name_kind_and_category(told: Told) -> None:
    """Every word has to fit; without a word all are listed."""
    status, out, _ = told("search", "CRM", "api_key")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()][:2] == ["affinity", "apollo"]
    assert len(told("search")[1].splitlines()) == len(shipped())
    assert told("search", "sales", "oauth2")[1].startswith("outreach ") is False
    status, out, err = told("search", "hubspt")
    assert (status, out) == (2, "")
    assert "did you mean hubspot?" in err


def test_show_prints_an_entry_with_its_origin(told: Told) -> None:
    """The table as `add` writes it, the page that states it, and the redirect URI."""
    status, out, _ = told("show", "Discord")
    assert status == 0
    assert "https://docs.discord.com/developers/topics/oauth2" in out
    assert 'client_id = ""' in out
    assert "{partner origin}/connector/callback" in out
    typed = told("show", "twilio")[1]
    assert "no app to register" in typed
    keys = [entry["key"] for printed in (out, typed) for entry in tomllib.loads(printed)["connector"]]
    assert keys == ["discord", "twilio"], "whoever appends it to a catalogue has a good one"


def test_add_writes_an_entry_that_check_catalogue_takes(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the client is filled in; the id is free, what stood there stays, the redirect URI is printed."""
    path = tmp_path / "catalogue.toml"
    path.write_text(PLAIN.rstrip("\n"))
    monkeypatch.setenv("HITCHPOST_EMBEDDED_PUBLIC_URL", "https://partner.example/")
    status, out, err = told("add", "shopify", "--catalogue", str(path))
    assert (status, err) == (0, "")
    assert "https://partner.example/connector/callback" in out
    assert "SHOPIFY_CLIENT_SECRET" in out
    assert f"hitchpost partner check-catalogue {path}" in out
    assert "finish it before the next restart" in out
    assert path.read_text().startswith(PLAIN)
    assert [table["id"] for table in tomllib.loads(path.read_text())["connector"]] == [205, 206]
    path.write_text(path.read_text().replace('client_id = ""', 'client_id = "ours"'))
    assert read_catalogue(path, {"SHOPIFY_CLIENT_SECRET": "s"}).by_name("Shopify")
    assert list(tmp_path.iterdir()) == [path]


def test_an_entry_of_a_key_service_needs_nothing_more(told: Told, tmp_path: Path) -> None:
    """A new file is made for it; the catalogue may be named by the service's own setting."""
    path = tmp_path / "new.toml"
    assert told("add", "sendgrid")[0] == 2
    assert told("add", "sendgrid", "--catalogue", str(path))[0] == 0
    assert read_catalogue(path).connectors[0].check is not None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[connector]\n", "is no TOML"),
        ('a = "\ufeff', "is no TOML"),
        ('connector = [{ id = 1, key = "a" }]\n', "write each as a table of its own"),
        ('connector = "a"\n', "write each as a table"),
        ('[[connector]]\nid = 7\nkey = "slack"\n', "has Slack already, as connector 7"),
        ('[[connector]]\nid = 8\nkey = "chat"\nname = "SLACK"\n', "has Slack already, as connector 8"),
    ],
)
def test_add_leaves_a_file_that_it_cannot_use_as_it_was(
    told: Told, tmp_path: Path, text: str, complaint: str
) -> None:
    """It says why, on one line, with the file's name (exit status 2)."""
    path = tmp_path / "catalogue.toml"
    path.write_text(text)
    status, out, err = told("add", "slack", "--catalogue", str(path))
    assert (status, out) == (2, "")
    assert err.startswith(str(path))
    assert complaint in err
    assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]


def test_add_says_what_cannot_be_read_or_written(told: Told, tmp_path: Path) -> None:
    """A folder, a file that is no text, and a place that is not there."""
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    for path, complaint in (
        (tmp_path, "is no file"),
        (tmp_path / "binary.toml", "is no TOML: it is not in UTF-8"),
        (tmp_path / "nowhere/catalogue.toml", "cannot be written (No such file or directory)"),
        (tmp_path / "binary.toml/catalogue.toml", "cannot be read (Not a directory)"),
    ):
        status, _, err = told("add", "slack", "--catalogue", str(path))
        assert (status, complaint in err) == (2, True), err


def test_add_keeps_line_ends_mode_and_links(told: Told, tmp_path: Path) -> None:
    """A file of CRLF or with a byte order mark stays one; so do its permissions, and a link to it."""
    path, link = tmp_path / "catalogue.toml", tmp_path / "link.toml"
    path.write_bytes(codecs.BOM_UTF8 + PLAIN.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    link.symlink_to(path)
    assert told("add", "slack", "--catalogue", str(link))[0] == 0
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert b"\n" not in path.read_bytes().replace(b"\r\n", b"")
    assert path.read_bytes().startswith(codecs.BOM_UTF8)


def test_no_copy_of_a_private_catalogue_can_be_read_by_others(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may hold client secrets; a kill in the middle leaves the copy that is being written."""
    path, modes = tmp_path / "catalogue.toml", list[int]()
    path.write_text(PLAIN)
    path.chmod(0o600)
    monkeypatch.setattr(os, "fsync", lambda number: modes.append(os.fstat(number).st_mode & 0o777))
    assert told("add", "slack", "--catalogue", str(path))[0] == 0
    assert modes == [0o600]


def test_the_highest_id_makes_no_id_beyond_it(told: Told, tmp_path: Path) -> None:
    """Then the lowest free one is taken."""
    path = tmp_path / "catalogue.toml"
    path.write_text(
        f'[[connector]]\nid = {2**31 - 1}\nkey = "last"\n\n[[connector]]\nid = 1\nkey = "first"\n'
    )
    assert told("add", "slack", "--catalogue", str(path))[0] == 0
    assert tomllib.loads(path.read_text())["connector"][2]["id"] == 2
