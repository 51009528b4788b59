"""What a start takes with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from bff.adapters.database import SCHEMA
from bff.serving.database import open_database
from tests.support.databases import DatabaseUrl
from tests.support.programs import SIGNING_KEY

ROOT: Final = Path(__file__).parents[2]
BUILD: Final = """
import sys
from bff.__main__ import main
from bff.app import create_app
create_app()
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
SETTINGS: Final = {
    "PUBLIC_URL": "http://127.0.0.1:8001",
    "SECRET_KEYS": SIGNING_KEY,
    "PARTNER_API_URL": "http://127.0.0.1:9",
    "PARTNER_SERVICE_URL": "http://127.0.0.1:9",
    "PARTNER_CLIENT_ID": "bff",
    "PARTNER_CLIENT_SECRET": "5d0c7f3a9be2416890d1c4a7",
}


def loaded_by_a_start(database_url: str) -> set[str]:
    """The packages that are there once the app is built, in a process of its own."""
    settings = {f"HITCHPOST_{name}": value for name, value in SETTINGS.items()}
    told = subprocess.run(
        [sys.executable, "-c", BUILD],
        env={**os.environ, **settings, "HITCHPOST_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    return set(told.stdout.split())


def test_migrations_are_loaded_only_where_there_is_something_to_migrate(
    tmp_path: Path, database_url: DatabaseUrl
) -> None:
    """They take 10 MB of every worker; a database that is up to date needs none of it."""
    url = database_url(tmp_path, "one")
    engine = open_database(url)
    SCHEMA.upgrade(engine)
    engine.dispose()
    assert not loaded_by_a_start(url) & {"alembic", "mako"}
    assert "alembic" in loaded_by_a_start(database_url(tmp_path, "two"))
