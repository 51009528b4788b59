"""A signing key that is taken away while stored webhook secrets need it is told at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bff.cli.main import main
from bff.serve import load
from bff.serving.settings import FaultySettings
from bff.settings import load_settings
from tests.cli.test_webhooks_command import PRODUCT as WITH_WEBHOOK
from tests.support.databases import DatabaseUrl

pytestmark = pytest.mark.one_database

OLD, NEW = "o1d9c27ab5e84f06d2b7c9e51a08f43d6e2b90c7", "n2e90c7f5a13843f1d9c27ab5e84f06d2b7c9e51"
PRODUCT = WITH_WEBHOOK.format(
    url="http://127.0.0.1:9/hooks", secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ"
)
TOLD = (
    "HITCHPOST_SECRET_KEYS: webhook secrets of product 'demo' are sealed with a key which is not here; put it"
    " back behind the new one, or seal them anew: hitchpost products apply FILE"
)


@pytest.fixture(autouse=True)
def file(tmp_path: Path, database_url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A product file that was applied with the old key; then the new one is set."""
    path = tmp_path / "products.toml"
    path.write_text(PRODUCT)
    for name, value in {
        "PUBLIC_URL": "http://127.0.0.1:8001",
        "DATABASE_URL": database_url(tmp_path, "bff"),
        "SECRET_KEYS": OLD,
        "PARTNER_API_URL": "http://127.0.0.1:1",
        "PARTNER_SERVICE_URL": "http://127.0.0.1:1",
        "PARTNER_CLIENT_ID": "client",
        "PARTNER_CLIENT_SECRET": "client-secret-of-no-worth",
    }.items():
        monkeypatch.setenv(f"HITCHPOST_{name}", value)
    assert main(["products", "apply", str(path)]) == 0
    monkeypatch.setenv("HITCHPOST_SECRET_KEYS", NEW)
    return path


@pytest.mark.parametrize(
    "command", ["check-config", pytest.param("keys check", marks=pytest.mark.both_databases)]
)
def test_a_key_that_stored_secrets_need_is_missed(
    command: str, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the old key behind the new one, or with the file applied again, all is well."""
    assert main(command.split()) == 2
    assert TOLD in capsys.readouterr().err.splitlines()
    monkeypatch.setenv("HITCHPOST_SECRET_KEYS", f"{NEW},{OLD}")
    assert main(command.split()) == 0
    monkeypatch.setenv("HITCHPOST_SECRET_KEYS", NEW)
    assert main(["products", "apply", str(file)]) == 0
    assert main(command.split()) == 0


def test_a_start_that_applies_the_file_needs_no_old_key(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It seals the secrets anew, and `check-config` knows it."""
    monkeypatch.setenv("HITCHPOST_PRODUCTS", str(file))
    assert main(["check-config"]) == 0
    file.write_text(PRODUCT.replace('"demo"', '"other"'))
    assert main(["check-config"]) == 2


def test_a_removed_product_needs_no_key() -> None:
    """Nothing is delivered to it any more."""
    assert main(["products", "remove", "demo", "--yes"]) == 0
    assert main(["check-config"]) == 0


def test_a_start_is_refused() -> None:
    """Before anything is delivered."""
    with pytest.raises(FaultySettings) as refused:
        load()(load_settings())
    assert refused.value.faults == [TOLD]
