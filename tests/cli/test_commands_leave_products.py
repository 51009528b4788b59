"""A command that is run while somebody edits the product file works on what was applied last."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.cli.main import main
from bff.products.store import DatabaseProducts
from bff.serving.database import open_database
from tests.support.databases import sqlite_url
from tests.support.programs import SIGNING_KEY

PRODUCT = """
[[product]]
key = "{key}"
name = "{name}"
origins = ["https://{key}.example"]
secret_keys = ["sk_0a91c7d25b7e4f60a3d8_{key}"]
connectors = ["crm"]
"""
COMMANDS = [
    "db purge",
    "db restored",
    "db upgrade",
    "attempts show ABCD-2345",
    "check-config",
    "check-config --online",
    "keys check",
    "connections list --product demo --account acme",
    "connections disconnect --product demo --account acme 1",
    "connectors check",
    "connectors list",
    "messages export demo",
    "products remove new",
    "studio invite ada@example.com --product demo",
    "studio end-sessions ada@example.com",
    "webhooks list",
    "webhooks test whe_none",
    "webhooks on whe_none",
    "webhooks resend whd_none",
]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with one product, and a product file that has been edited since."""
    file, url = tmp_path / "products.toml", sqlite_url(tmp_path, "bff")
    file.write_text(PRODUCT.format(key="demo", name="Demo"))
    for name, value in {
        "PUBLIC_URL": "http://127.0.0.1:8001",
        "DATABASE_URL": url,
        "SECRET_KEYS": SIGNING_KEY,
        "PARTNER_API_URL": "http://127.0.0.1:9",
        "PARTNER_SERVICE_URL": "http://127.0.0.1:9",
        "PARTNER_CLIENT_ID": "client",
        "PARTNER_CLIENT_SECRET": "client-secret-of-no-worth",
        "PRODUCTS": str(file),
    }.items():
        monkeypatch.setenv(f"HITCHPOST_{name}", value)
    assert main(["products", "apply", str(file)]) == 0
    file.write_text(PRODUCT.format(key="demo", name="Renamed") + PRODUCT.format(key="new", name="New"))
    return url


@pytest.mark.parametrize("command", COMMANDS)
def test_the_edited_file_is_not_applied(command: str, database: str) -> None:
    """Only `products apply`, a start and a reload apply it, whatever a command's own result is."""
    main(command.split())
    engine = open_database(database)
    products = DatabaseProducts(engine)
    registered = products.registration("demo")
    assert (products.keys(), registered and registered.name) == (["demo"], "Demo")
    engine.dispose()
