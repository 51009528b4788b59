"""Every command of both programs, given what is wrong: refused in one line, exit status 2, nothing made."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    "no such folder": ("sqlite:////nowhere/at/all/hitchpost.db", "DATABASE_URL"),
    "a folder": ("sqlite:////tmp", "DATABASE_URL"),
    "no file": ("sqlite:///", "names no file; write sqlite:////FOLDER/FILE.db"),
    "memory": ("sqlite:///:memory:", "names no file; write sqlite:////FOLDER/FILE.db"),
    "memory by URI": ("sqlite:///file::memory:?cache=shared&uri=true", "names no file"),
    "memory by its mode": ("sqlite:///file:one?mode=memory&uri=true", "names no file"),
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


def refused(run: Run, command: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Exit status 2, one line about it (beside warnings), and no traceback; that line."""
    capsys.readouterr()
    assert run(command) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1, lines
    assert said in lines[0]
    return lines[0]


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
    monkeypatch.setenv(setting, url)
    assert said in refused(run, command, setting, capsys)


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


PROGRAMS = pytest.mark.parametrize(
    ("run", "prefix"), [(hitchpost, "HITCHPOST_"), (partner, "HITCHPOST_EMBEDDED_")], ids=["bff", "partner"]
)


@PROGRAMS
@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("none/own.db", "there is no folder {folder}/none; make it, for the user that runs the program"),
        ("file/own.db", "{folder}/file is no folder"),
        ("", "{folder} is a folder; write the file's name behind it"),
        ("locked/own.db", "{folder}/locked cannot be written by this user"),
        ("locked.db", "{folder}/locked.db cannot be written by this user"),
    ],
)
def test_a_file_that_cannot_be_a_database(
    run: Run,
    prefix: str,
    file: str,
    said: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`check-config` says it before the first start, and makes nothing."""
    (folder / "file").write_text("")
    (folder / "locked").mkdir()
    (folder / "locked.db").write_text("")
    monkeypatch.setenv(f"{prefix}DATABASE_URL", f"sqlite:///{folder}/{file}")
    with a_user_who_may_not_write(folder / "locked", folder / "locked.db"):
        refused(run, ["check-config"], f"{prefix}DATABASE_URL: {said.format(folder=folder)}", capsys)
    assert sorted(path.name for path in folder.iterdir()) == ["catalogue.toml", "file", "locked", "locked.db"]


@contextmanager
def a_user_who_may_not_write(*places: Path) -> Iterator[None]:
    """Take the right to write from everybody. Root would have it still: it becomes another user meanwhile."""
    for place in places:
        place.chmod(0o555)
    me = os.geteuid()
    if me:
        yield
        return
    above = [*places[0].parents][:-1]
    modes = {path: path.stat().st_mode for path in above}
    for path, mode in modes.items():
        path.chmod(mode | 0o055)
    places[0].parent.chmod(0o777)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(me)
        for path, mode in modes.items():
            path.chmod(mode)


@PROGRAMS
@pytest.mark.parametrize("name", ["BIND", "METRICS_BIND"])
def test_an_address_of_another_machine(
    run: Run,
    prefix: str,
    name: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`check-config` names the setting; 192.0.2.1 is nobody's (RFC 5737). Offline, it looks at no machine."""
    monkeypatch.setenv(f"{prefix}DATABASE_URL", f"sqlite:///{folder}/own.db")
    monkeypatch.setenv(f"{prefix}{name}", "192.0.2.1:9101")
    refused(
        run, ["check-config"], f"{prefix}{name}: 192.0.2.1:9101 cannot be listened on: cannot assign", capsys
    )
    assert run(["check-config", "--offline"]) == 0


@PROGRAMS
@pytest.mark.parametrize(
    ("bind", "metrics"),
    [
        ("127.0.0.1:9101", "127.0.0.1:9101"),
        ("0.0.0.0:9101", "127.0.0.1:9101"),
        ("[::1]:9101", "0.0.0.0:9101"),
    ],
)
def test_metrics_at_the_programs_own_port(
    run: Run,
    prefix: str,
    bind: str,
    metrics: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A request is for the metrics by its port, so users would be answered with metrics."""
    monkeypatch.setenv(f"{prefix}BIND", bind)
    monkeypatch.setenv(f"{prefix}METRICS_BIND", metrics)
    refused(
        run,
        ["check-config", "--offline"],
        f"{prefix}BIND: '{bind}' has the same port as {prefix}METRICS_BIND, '{metrics}'; give each its own",
        capsys,
    )


@PROGRAMS
def test_redis_that_does_not_answer(
    run: Run, prefix: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`check-config` asks it."""
    monkeypatch.setenv(f"{prefix}DATABASE_URL", f"sqlite:///{folder}/own.db")
    monkeypatch.setenv(f"{prefix}LIMITS_URL", "redis://127.0.0.1:9")
    refused(run, ["check-config"], f"{prefix}LIMITS_URL: Redis does not answer", capsys)
