"""Commands with a database that is broken, read-only or away: one sentence, and nothing half-done."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bff.cli import main as cli
from bff.partner.__main__ import main as partner
from bff.partner.storage.database import Database
from tests.partner.test_grants import environment
from tests.support.world import World

BFF = [
    ["db", "upgrade"],
    ["attempts", "show", "ABCD-2345"],
    ["studio", "invite", "ada@example.com", "--product", "demo"],
    ["messages", "export", "demo"],
]


def damaged(path: Path) -> str:
    """All but the first page are other bytes."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * max(4096, path.stat().st_size - 4096))
    return "malformed"


def no_database(path: Path) -> str:
    """It is another kind of file."""
    path.write_bytes(b"a photograph" * 1000)
    return "not a database"


def nowhere(path: Path) -> str:
    """There is a folder in its place."""
    path.unlink()
    path.mkdir()
    return "unable to open"


BROKEN = [damaged, no_database, nowhere]


def told_once(capsys: pytest.CaptureFixture[str], setting: str, why: str) -> None:
    """One line, no traceback, and not what was asked of the database."""
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert len(lines) == 1, said.err
    assert why in lines[0]
    assert setting in lines[0]
    assert "SELECT" not in lines[0]


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("command", BFF, ids=" ".join)
def test_a_command_says_why_its_database_cannot_be_used(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    broken: object,
) -> None:
    """The BFF's commands."""
    path = tmp_path / "bff.db"
    monkeypatch.setenv("HITCHPOST_DATABASE_URL", f"sqlite:///{path}")
    monkeypatch.setenv("HITCHPOST_PUBLIC_URL", "https://connect.example")
    assert cli.main(["db", "upgrade"]) == 0
    settle(path)
    assert callable(broken)
    why = broken(path)
    capsys.readouterr()
    assert cli.main(command) == 2
    told_once(capsys, "HITCHPOST_DATABASE_URL", why)


@pytest.mark.parametrize("broken", BROKEN)
def test_so_do_the_embedded_services(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    broken: object,
) -> None:
    """`keys re-encrypt`, which changes much, and `grants list`."""
    path = tmp_path / "partner.db"
    Database(f"sqlite:///{path}").engine.dispose()
    settle(path)
    assert callable(broken)
    why = broken(path)
    variables = environment(world) | {"HITCHPOST_EMBEDDED_DATABASE_URL": f"sqlite:///{path}"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for command in (["keys", "re-encrypt"], ["grants", "list", "sandbox"]):
        capsys.readouterr()
        assert partner(command) == 2
        told_once(capsys, "HITCHPOST_EMBEDDED_DATABASE_URL", why)


def test_a_read_only_database_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What would change it says so; what only looks goes on looking."""
    path = tmp_path / "bff.db"
    monkeypatch.setenv("HITCHPOST_DATABASE_URL", f"sqlite:///{path}")
    monkeypatch.setenv("HITCHPOST_PUBLIC_URL", "https://connect.example")
    assert cli.main(["db", "upgrade"]) == 0
    settle(path)
    monkeypatch.setenv("HITCHPOST_DATABASE_URL", f"sqlite:///file:{path}?mode=ro&uri=true")
    capsys.readouterr()
    file = tmp_path / "products.toml"
    file.write_text(
        '[[product]]\nkey = "demo"\nname = "Demo"\norigins = ["https://app.example"]\n'
        'secret_keys = ["sk_0123456789abcdef0123"]\nconnectors = ["crm"]\n'
    )
    assert cli.main(["products", "apply", str(file)]) == 2
    told_once(capsys, "HITCHPOST_DATABASE_URL", "readonly")


def settle(path: Path) -> None:
    """Everything is in the one file."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    for name in ("-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)
