"""What the environment may say, and what production refuses to start with."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

import pytest

from bff.cli.main import main
from bff.partner.__main__ import main as partner_main
from bff.partner.providers.catalogue import FaultyCatalogue, read_catalogue
from bff.partner.settings import load_settings as load_partner_settings
from bff.serving.settings import FaultySettings
from bff.settings import database_url, load_settings

KEY = "3f1d9c27ab5e84f06d2b7c9e51a08f43d6e2b90c7f5a1384"
SOUND = {
    "PUBLIC_URL": "https://connect.example.com",
    "SECRET_KEYS": KEY,
    "PARTNER_API_URL": "http://127.0.0.1:9",
    "PARTNER_SERVICE_URL": "https://partner.example.com",
    "PARTNER_CLIENT_ID": "id",
    "PARTNER_CLIENT_SECRET": "f0e1d2c3b4a5968778695a4b3c2d1e0f",
}
PARTNER = {
    "PUBLIC_URL": "https://partner.example.com",
    "CATALOGUE": "catalogue.toml",
    "CLIENT_ID": "id",
    "CLIENT_SECRET": "f0e1d2c3b4a5968778695a4b3c2d1e0f",
    "ENCRYPTION_KEYS": "k1:3q2+7wQz8mT5bKf1YhXc0uVj4sRg6nLdPaWxEiOyUkE=",
}
CATALOGUE = """\
[[connector]]
id = 1
key = "crm"
name = "CRM"
authorize_url = "https://crm.example/a"
token_url = "https://crm.example/t"
client_id = "x"
client_secret_env = "CRM_SECRET"
"""
PRODUCT = """\
[[product]]
key = "shop"
name = "Shop"
origins = ["{origin}"]
secret_keys = ["{key}"]
connectors = ["crm"]
[product.messages.default]
kind = "plain"
text = "done"
"""


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine's own."""
    ours = [name for name in os.environ if name.startswith("HITCHPOST_")]
    for name in ("FLASK_DEBUG", "PYTHONDEVMODE", *ours):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HITCHPOST_DATABASE_URL", f"sqlite:///{tmp_path}/bff.db")


def faults_of(monkeypatch: pytest.MonkeyPatch, **changed: str) -> list[str]:
    """What is wrong with sound production settings after these changes."""
    for name, value in (SOUND | changed).items():
        monkeypatch.setenv(f"HITCHPOST_{name}", value)
    try:
        load_settings()
    except FaultySettings as error:
        return error.faults
    return []


def test_sound_settings_are_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """A public URL of https is production; nothing needs to say so."""
    assert faults_of(monkeypatch) == []
    assert load_settings().is_production
    assert load_settings().seconds_to_drain == 2
    monkeypatch.setenv("HITCHPOST_ENVIRONMENT", "development")
    assert not load_settings().is_production


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "http://connect.example.com"),
        ("PUBLIC_URL", "connect.example.com"),
        ("PARTNER_SERVICE_URL", "http://127.0.0.1:8002"),
        ("PARTNER_API_URL", "http://api.example.com"),
        ("PARTNER_API_URL", "ftp://api.example.com"),
        ("SECRET_KEYS", "short"),
        ("SECRET_KEYS", "k" * 64),
        ("SECRET_KEYS", "abcdefgh12" * 4),
        ("SECRET_KEYS", "please-changeme-" + KEY),
        ("SECRET_KEYS", f"{KEY},{'x' * 40}"),
        ("PARTNER_CLIENT_SECRET", "secret"),
        ("TRUSTED_HOSTS", "*"),
        ("TRUSTED_HOSTS", "https://connect.example.com"),
        ("ENVIRONMENT", "prod"),
        ("FLASK_DEBUG", "1"),
        ("PYTHONDEVMODE", "1"),
    ],
)
def test_production_refuses(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """What is fit for a developer's machine only, or never; the fault names the variable, never a value."""
    switch = not name.startswith(("FLASK", "PYTHON"))
    if not switch:
        monkeypatch.setenv(name, value)
    more = {"ENVIRONMENT": "production"} if name == "PUBLIC_URL" else {}
    found = faults_of(monkeypatch, **more, **({name: value} if switch else {}))
    assert len(found) == 1, found
    assert found[0].startswith(f"HITCHPOST_{name}: " if switch else f"{name}: ")
    assert KEY not in found[0]
    assert name != "SECRET_KEYS" or value not in found[0]


def test_every_fault_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of single settings and those of production together."""
    monkeypatch.setenv("FLASK_DEBUG", "true")
    wrong = {"THREADS": "0", "WORKERS": "none", "SECRET_KEYS": "k" * 64}
    found = faults_of(monkeypatch, **wrong, PARTNER_SERVICE_URL="http://127.0.0.1:1")
    assert "HITCHPOST_WORKERS: write a whole number" in found
    assert {fault.partition(":")[0] for fault in found} == {
        "HITCHPOST_THREADS",
        "HITCHPOST_WORKERS",
        "HITCHPOST_SECRET_KEYS",
        "HITCHPOST_PARTNER_SERVICE_URL",
        "FLASK_DEBUG",
    }


def test_secrets_come_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each setting may stand in a file; both at once, and a file that is not there, are faults."""
    assert faults_of(monkeypatch) == []
    monkeypatch.delenv("HITCHPOST_SECRET_KEYS")
    (tmp_path / "keys").write_text(KEY[::-1] + "\n")
    monkeypatch.setenv("HITCHPOST_SECRET_KEYS_FILE", str(tmp_path / "keys"))
    assert load_settings().signing_keys()[0].reveal() == KEY[::-1]
    (found,) = faults_of(monkeypatch)
    assert "leave one of them" in found
    monkeypatch.delenv("HITCHPOST_SECRET_KEYS")
    monkeypatch.setenv("HITCHPOST_SECRET_KEYS_FILE", str(tmp_path / "nothing"))
    with pytest.raises(FaultySettings, match="cannot be read"):
        load_settings()


def test_a_product_file_is_held_to_production_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """check-config names what stands in it, though it would do on a developer's machine."""
    path = tmp_path / "products.toml"
    assert faults_of(monkeypatch, PRODUCTS=str(path)) == []
    path.write_text(PRODUCT.format(origin="http://localhost:3000", key="sk_" + "a" * 40))
    assert main(["check-config", "--offline"]) == 2
    told = capsys.readouterr().err
    assert "shop: origins" in told
    assert "shop: secret_keys" in told
    path.write_text(PRODUCT.format(origin="https://*.example.com", key="sk_" + KEY))
    assert main(["check-config", "--offline"]) == 2
    path.write_text(PRODUCT.format(origin="https://app.example.com", key="sk_" + KEY))
    assert main(["check-config", "--offline"]) == 0
    assert "settings are sound" in capsys.readouterr().out


def test_check_config_asks_database_and_partner_service(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database that does not answer is a fault; an outage of the partner service a warning only."""
    assert faults_of(monkeypatch) == []
    assert main(["check-config"]) == 0
    told = capsys.readouterr().err
    assert "hitchpost db upgrade" in told
    assert "HITCHPOST_PARTNER_API_URL: the partner service does not answer" in told
    assert not (tmp_path / "bff.db").exists()
    assert main(["db", "upgrade"]) == 0
    assert main(["check-config"]) == 0
    assert "db upgrade" not in capsys.readouterr().err
    monkeypatch.setenv("HITCHPOST_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:9/none")
    assert main(["check-config"]) == 2
    assert "the database does not answer" in capsys.readouterr().err
    monkeypatch.setenv("HITCHPOST_DATABASE_URL", "nonsense://x")
    assert main(["check-config"]) == 2


def test_the_partner_service_is_as_strict(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its own settings, refused in the same way, and checked by its own command."""
    for name, value in (PARTNER | {"DATABASE_URL": f"sqlite:///{tmp_path}/partner.db"}).items():
        monkeypatch.setenv(f"HITCHPOST_EMBEDDED_{name}", value)
    assert load_partner_settings().is_production
    weak = {
        "PUBLIC_URL": "http://partner.example.com",
        "CLIENT_SECRET": "secret-secret-secret",
        "ENCRYPTION_KEYS": "k1:" + "A" * 43 + "=",
    }
    for name, value in weak.items():
        with monkeypatch.context() as changed:
            changed.setenv(f"HITCHPOST_EMBEDDED_{name}", value)
            changed.setenv("HITCHPOST_EMBEDDED_ENVIRONMENT", "production")
            with pytest.raises(FaultySettings, match=f"^HITCHPOST_EMBEDDED_{name}: "):
                load_partner_settings()
    assert partner_main(["check-config"]) == 2
    assert "catalogue.toml" in capsys.readouterr().err


def test_key_commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A new key is fit for use; the check tells what each does and shows none."""
    assert main(["keys", "new"]) == 0
    new = capsys.readouterr().out.strip()
    assert faults_of(monkeypatch, SECRET_KEYS=f"{new},{KEY}") == []
    assert main(["keys", "check"]) == 0
    told = capsys.readouterr().out
    assert [line.split()[2] for line in told.splitlines()[:2]] == ["signs", "verifies"]
    assert "24 hours" in told
    assert new not in told
    assert KEY not in told


def embedded(monkeypatch: pytest.MonkeyPatch, **changed: str) -> None:
    """Set sound settings of the embedded service, with these changes."""
    for name, value in (PARTNER | changed).items():
        monkeypatch.setenv(f"HITCHPOST_EMBEDDED_{name}", value)


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_a_blank_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    """Compose sets ``${NAME:-}`` to nothing. What has a default has it, and what has none is missing."""
    optional = (
        "PRODUCTS",
        "WORKERS",
        "BIND",
        "PARTNER_CREATE_ACCOUNTS",
        "LIMITS_URL",
        "METRICS_BIND",
        "ENVIRONMENT",
    )
    assert faults_of(monkeypatch, **dict.fromkeys(optional, blank)) == []
    assert (load_settings().products, load_settings().workers) == (None, 1)
    (missing,) = faults_of(monkeypatch, PUBLIC_URL=blank)
    assert missing.startswith("HITCHPOST_PUBLIC_URL: is not set")
    embedded(monkeypatch, DATABASE_URL=blank, THREADS=blank, BIND=blank)
    assert load_partner_settings().threads == 32
    monkeypatch.setenv("HITCHPOST_DATABASE_URL", blank)
    with pytest.raises(FaultySettings, match="HITCHPOST_DATABASE_URL: is not set"):
        database_url()


def test_white_space_around_a_value_does_not_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A secret made by ``echo`` ends in a newline; what it belongs to does not know of it."""
    spaced = {name: f" {value}\n" for name, value in (SOUND | {"BIND": "127.0.0.1:8011"}).items()}
    assert faults_of(monkeypatch, **spaced) == []
    found = load_settings()
    assert found.partner_client_secret.get_secret_value() == SOUND["PARTNER_CLIENT_SECRET"]
    assert (found.partner_client_id, found.public_url) == ("id", SOUND["PUBLIC_URL"])
    embedded(monkeypatch, **{name: f"{value}\n" for name, value in PARTNER.items()})
    assert load_partner_settings().client_secret.get_secret_value() == PARTNER["CLIENT_SECRET"]
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(CATALOGUE)
    (entry,) = read_catalogue(catalogue, {"CRM_SECRET": "s3cr3t\n"}).connectors
    assert entry.client_secret == "s3cr3t"
    with pytest.raises(FaultyCatalogue, match="CRM_SECRET is not set"):
        read_catalogue(catalogue, {"CRM_SECRET": "\n"})


def test_a_file_of_a_setting_holds_a_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With a byte order mark or without; an empty one is told."""
    assert faults_of(monkeypatch) == []
    monkeypatch.delenv("HITCHPOST_SECRET_KEYS")
    monkeypatch.setenv("HITCHPOST_SECRET_KEYS_FILE", str(tmp_path / "keys"))
    (tmp_path / "keys").write_bytes(codecs.BOM_UTF8 + KEY.encode())
    assert load_settings().signing_keys()[0].reveal() == KEY
    (tmp_path / "keys").write_text("\n")
    with pytest.raises(FaultySettings, match=r"SECRET_KEYS_FILE: .*keys: cannot be read \(it is empty"):
        load_settings()


@pytest.mark.parametrize(
    "wrong",
    [
        "0.0.0.0",
        "8001",
        "localhost:99999",
        "localhost:0",
        "http://0.0.0.0:8001",
        "::1:8001",
        "a:1,b:2",
        "localhost:x",
    ],
)
def test_an_address_to_listen_on_has_a_port(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    """Another one would be chosen, or none; the same for every program and for the metrics."""
    for name in ("BIND", "METRICS_BIND"):
        (fault,) = faults_of(monkeypatch, **{"BIND": "127.0.0.1:8001", name: wrong})
        assert fault.startswith(f"HITCHPOST_{name}: write an address and a port, such as 127.0.0.1:8001")
        embedded(monkeypatch, **{name: wrong})
        with pytest.raises(FaultySettings, match=f"^HITCHPOST_EMBEDDED_{name}: write an address and a port"):
            load_partner_settings()
        monkeypatch.delenv(f"HITCHPOST_{name}")
        monkeypatch.delenv(f"HITCHPOST_EMBEDDED_{name}")


@pytest.mark.parametrize(
    "right", ["0.0.0.0:8001", "[::]:8001", "connect_1.internal:80", ":8001", "unix:/run/h.sock"]
)
def test_an_address_to_listen_on_is_what_the_server_takes(
    monkeypatch: pytest.MonkeyPatch, right: str
) -> None:
    """Names, addresses of both kinds, and a socket's path."""
    assert faults_of(monkeypatch, BIND=right) == []


def test_a_misspelt_setting_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A warning with the nearest name: it may be another tool's. A fault that it led to stands beside it."""
    path = tmp_path / "products.toml"
    path.write_text(PRODUCT.format(origin="https://shop.example.com", key=f"sk_{KEY}"))
    wrong = {"HEALTH_MINUTE": "0", "SECRET_KEY_FILE": "x", "SURPRISE": "1"}
    assert faults_of(monkeypatch, PRODUCTS=str(path), **wrong) == []
    assert main(["check-config", "--offline"]) == 0
    told = capsys.readouterr().err.splitlines()
    assert [line for line in told if "is no setting, and is ignored; " in line] == [
        f"warning: HITCHPOST_{wrong}: is no setting, and is ignored; {hint}"
        for wrong, hint in (
            ("HEALTH_MINUTE", "did you mean HITCHPOST_HEALTH_MINUTES?"),
            ("SECRET_KEY_FILE", "did you mean HITCHPOST_SECRET_KEYS_FILE?"),
            ("SURPRISE", "docs/settings.md lists all"),
        )
    ]
    monkeypatch.delenv("HITCHPOST_PUBLIC_URL")
    assert main(["check-config", "--offline"]) == 2
    assert "HITCHPOST_HEALTH_MINUTE: is no setting" in capsys.readouterr().err
    embedded(monkeypatch, TREADS="4")
    partner_main(["check-config", "--offline"])
    told = "HITCHPOST_EMBEDDED_TREADS: is no setting, and is ignored; did you mean HITCHPOST_EMBEDDED_"
    assert f"{told}THREADS?" in capsys.readouterr().err


@pytest.mark.parametrize("why", ["a setting is faulty", "the file is faulty", "no file is named"])
def test_a_variable_that_a_product_file_names_is_not_told(
    why: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Whatever else is wrong. Without a file any name may be such a one, but for misspelt settings."""
    path = tmp_path / "products.toml"
    text = PRODUCT.format(origin="https://shop.example.com", key=f"sk_{KEY}")
    names = 'secret_key_env = "HITCHPOST_MY_APP_KEY"  # and HITCHPOST_WEBHOOK_SECRET\nconnectors'
    path.write_text(text.replace("connectors", names) + ("=" if why == "the file is faulty" else ""))
    faults_of(
        monkeypatch,
        MY_APP_KEY=f"sk_{KEY[::-1]}",
        WEBHOOK_SECRET="whsec_x",
        HEALTH_MINUTE="0",
        PRODUCTS="" if why == "no file is named" else str(path),
        THREADS="0" if why == "a setting is faulty" else "1",
    )
    main(["check-config", "--offline"])
    told = [line for line in capsys.readouterr().err.splitlines() if "is no setting" in line]
    assert [line.rpartition("HITCHPOST_")[2] for line in told] == ["HEALTH_MINUTES?"]


def test_faults_of_settings_hide_none_of_the_files(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """`check-config` of both programs tells all in one go."""
    path = tmp_path / "file.toml"
    path.write_text("[[product]]\nkey = 1\n[[connector]]\nid = 1\n")
    faults_of(monkeypatch, PRODUCTS=str(path), THREADS="0")
    embedded(monkeypatch, CATALOGUE=str(path), THREADS="0")
    for run, prefix in ((main, "HITCHPOST_"), (partner_main, "HITCHPOST_EMBEDDED_")):
        assert run(["check-config", "--offline"]) == 2
        told = capsys.readouterr().err.splitlines()
        assert any(line.startswith(f"{prefix}THREADS: ") for line in told)
        assert any(line.startswith(f"{path}: ") for line in told)


def test_variables_of_others_are_not_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Those that a product file names, those of our other programs, and those of Kubernetes and Docker."""
    path = tmp_path / "products.toml"
    text = PRODUCT.format(origin="https://shop.example.com", key=f"sk_{KEY}")
    path.write_text(text.replace("connectors", 'secret_key_env = "HITCHPOST_MY_APP_KEY"\nconnectors'))
    others = {
        "MY_APP_KEY": f"sk_{KEY[::-1]}",
        "EMBEDDED_BIND": "127.0.0.1:8002",
        "SANDBOX_CLIENT_SECRET": "x",
        "DEMO_PORT": "8000",
        "BUILD_VERSION": "1.0",
        "PORT": "tcp://10.0.0.1:8001",
        "PORT_8001_TCP": "tcp://10.0.0.1:8001",
        "PORT_8001_TCP_ADDR": "10.0.0.1",
        "SERVICE_HOST": "10.0.0.1",
        "SERVICE_PORT": "8001",
        "SERVICE_PORT_HTTP": "8001",
        "BFF_SERVICE_HOST": "10.0.0.1",
    }
    assert faults_of(monkeypatch, PRODUCTS=str(path), **others) == []
    assert main(["check-config", "--offline"]) == 0
    assert "is no setting" not in capsys.readouterr().err
    monkeypatch.setenv("HITCHPOST_PORT", "8001")  # No address as Kubernetes and Docker write it.
    assert main(["check-config", "--offline"]) == 0
    assert "HITCHPOST_PORT: is no setting" in capsys.readouterr().err
