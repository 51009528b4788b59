"""Every command of both programs, given what is wrong: refused in one line, exit status 2, nothing made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bff.cli.main import main as hitchpost
from bff.partner.__main__ import main as partner
from bff.partner.storage.database import SCHEMA as PARTNER_SCHEMA
from bff.serving.database import open_database
from bff.storage.schema import SCHEMA
from tests.partner.test_grants import KEY
from tests.support.postgresql import PostgresqlServer
from tests.support.world import CLIENT_ID, CLIENT_SECRET, PRODUCTS, SANDBOX_SECRET, catalogue_for

Run = Callable[[list[str]], int]

BFF_COMMANDS = [
    ["db", "upgrade"],
    ["db", "purge"],
    ["db", "restored"],
    ["attempts", "show", "ABCD-2345"],
    ["products", "apply", "products.toml"],
    ["messages", "export", "demo"],
    ["messages", "import", "messages.toml", "--yes"],
    ["studio", "invite", "ada@example.com", "--product", "demo"],
    ["studio", "end-sessions", "ada@example.com"],
    ["webhooks", "list"],
    ["webhooks", "test", "whe_none"],
    ["connections", "list", "--product", "demo", "--account", "acme"],
    ["connections", "disconnect", "--product", "demo", "--account", "acme", "1"],
    ["check-config"],
]
PARTNER_COMMANDS = [
    ["db", "upgrade"],
    ["db", "restored"],
    ["grants", "list", "sandbox"],
    ["grants", "revoke", "sandbox"],
    ["keys", "re-encrypt"],
    ["check-config"],
]
COMMANDS = [
    *(pytest.param(hitchpost, "HITCHPOST_DATABASE_URL", command, id=f"bff {' '.join(command[:2])}")
      for command in BFF_COMMANDS),
    *(pytest.param(partner, "HITCHPOST_EMBEDDED_DATABASE_URL", command, id=f"partner {' '.join(command[:2])}")
      for command in PARTNER_COMMANDS),
]  # fmt: skip
WRONG_URLS = {
    "nothing listens": ("postgresql+psycopg://nobody@127.0.0.1:9/none", "database"),
    "no such host": ("postgresql+psycopg://nobody@nowhere.invalid/none", "database"),
    "no such socket": ("postgresql+psycopg://nobody@/none?host=/nowhere", "database"),
    "another kind": ("mysql://root@127.0.0.1/none", "write sqlite:"),
    "no URL": ("hitchpost.db", "write sqlite:"),
    "a port of letters": ("postgresql+psycopg://nobody@127.0.0.1:port/none", "port"),
    "no such folder": ("sqlite:////nowhere/at/all/hitchpost.db", "database"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own to stand in, and sound settings of both programs, but for their databases."""
    beside = tmp_path / "beside"
    inside = tmp_path / "inside"
    beside.mkdir()
    inside.mkdir()
    monkeypatch.chdir(inside)
    (inside / "products.toml").write_text(PRODUCTS)
    (inside / "messages.toml").write_text('[product.demo.messages.default]\nkind = "plain"\ntext = "done"\n')
    (beside / "catalogue.toml").write_text(catalogue_for("http://127.0.0.1:9"))
    values = {
        "HITCHPOST_EMBEDDED_PUBLIC_URL": "http://127.0.0.1:8002",
        "HITCHPOST_EMBEDDED_DATABASE_URL": f"sqlite:///{beside}/partner.db",
        "HITCHPOST_DATABASE_URL": f"sqlite:///{beside}/bff.db",
        "HITCHPOST_EMBEDDED_CATALOGUE": str(beside / "catalogue.toml"),
        "HITCHPOST_EMBEDDED_CLIENT_ID": CLIENT_ID,
        "HITCHPOST_EMBEDDED_CLIENT_SECRET": CLIENT_SECRET,
        "HITCHPOST_EMBEDDED_ENCRYPTION_KEYS": KEY,
        "HITCHPOST_SANDBOX_CLIENT_SECRET": SANDBOX_SECRET,
        "HITCHPOST_PUBLIC_URL": "http://127.0.0.1:8001",
        "HITCHPOST_SECRET_KEYS": "0123456789abcdefghijklmnopqrstuvwxyz-ABCDE",
        "HITCHPOST_PARTNER_API_URL": "http://127.0.0.1:9",
        "HITCHPOST_PARTNER_SERVICE_URL": "http://127.0.0.1:9",
        "HITCHPOST_PARTNER_CLIENT_ID": "bff",
        "HITCHPOST_PARTNER_CLIENT_SECRET": "a-secret-of-some-length",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    before = sorted(inside.iterdir())
    yield beside
    assert sorted(inside.iterdir()) == before, "a command made something in the current folder"


def refused(run: Run, command: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2, one line about it (beside warnings), and no traceback."""
    capsys.readouterr()
    assert run(command) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1, lines
    assert said in lines[0]


@pytest.mark.parametrize("wrong", WRONG_URLS)
@pytest.mark.parametrize(("run", "setting", "command"), COMMANDS)
def test_a_database_that_cannot_be_used(
    run: Run,
    setting: str,
    command: list[str],
    wrong: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its variable is named, and what is wrong with it."""
    url, said = WRONG_URLS[wrong]
    if wrong == "no such folder" and command[-1] == "check-config":
        return  # The schema is missing there: a warning, as for any new installation.
    monkeypatch.setenv(setting, url)
    refused(run, command, setting, capsys)
    monkeypatch.setenv(setting, url)
    refused(run, command, said, capsys)


@pytest.mark.parametrize(("run", "setting", "command"), COMMANDS)
def test_the_other_programs_database(
    run: Run,
    setting: str,
    command: list[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Both count their migrations from 1; nothing is changed in the wrong one."""
    other = PARTNER_SCHEMA if run is hitchpost else SCHEMA
    engine = open_database(f"sqlite:///{folder}/other.db")
    other.upgrade(engine)
    monkeypatch.setenv(setting, f"sqlite:///{folder}/other.db")
    refused(run, command, f"{setting}: this is the database of another program", capsys)
    assert other.fault(engine) is None
    engine.dispose()


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
@pytest.mark.parametrize(("run", "setting", "command"), COMMANDS)
def test_a_database_in_another_encoding(
    run: Run,
    setting: str,
    command: list[str],
    encoding: str,
    postgresql: PostgresqlServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """PostgreSQL makes one where the machine's locale is C or another old one; it cannot keep every name."""
    monkeypatch.setenv(setting, postgresql.url(f"in_{encoding.lower()}", encoding=encoding))
    refused(run, command, f"{setting}: the database's encoding is {encoding}; make one in UTF8", capsys)


@pytest.mark.parametrize("command", [command for command in BFF_COMMANDS if command != ["check-config"]],
                         ids=" ".join)  # fmt: skip
def test_no_database_is_named(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A default would be a new file in the current folder: the variable has to be set."""
    monkeypatch.delenv("HITCHPOST_DATABASE_URL", raising=False)
    refused(hitchpost, command, "HITCHPOST_DATABASE_URL: ", capsys)


@pytest.mark.parametrize(
    ("run", "setting", "command"),
    [item for item in COMMANDS if item.values[2][:2] not in (["db", "upgrade"], ["products", "apply"],
                                                            ["check-config"])],
)  # fmt: skip
def test_a_database_that_is_not_there_yet(
    run: Run,
    setting: str,
    command: list[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Only a command that is meant to make it does."""
    monkeypatch.setenv(setting, f"sqlite:///{folder}/new.db")
    refused(run, command, f"there is no database at {folder}/new.db", capsys)
    assert not (folder / "new.db").exists()


@pytest.mark.parametrize(
    ("run", "prefix"), [(hitchpost, "HITCHPOST_"), (partner, "HITCHPOST_EMBEDDED_")], ids=["bff", "partner"]
)
def test_redis_that_does_not_answer(
    run: Run, prefix: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`check-config` asks it."""
    monkeypatch.setenv(f"{prefix}DATABASE_URL", f"sqlite:///{folder}/own.db")
    monkeypatch.setenv(f"{prefix}LIMITS_URL", "redis://127.0.0.1:9")
    refused(run, ["check-config"], f"{prefix}LIMITS_URL: Redis does not answer", capsys)
