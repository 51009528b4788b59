"""What a start takes with it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from bff.serving.gevent_worker import CooperativeWorker
from tests.support.databases import DatabaseUrl
from tests.support.programs import SIGNING_KEY

ROOT: Final = Path(__file__).parents[2]
SERVE: Final = """
import gc, sys
from bff.__main__ import main
def tell():
    print(*[name for name, module in sys.modules.items() if module])
tell()
from bff.serve import load
from bff.settings import load_settings
load()(load_settings())
tell()
print(gc.isenabled(), gc.get_freeze_count() > len(gc.get_objects()))
"""
"""What ``hitchpost serve`` does, but in one process: the arbiter's part, then the worker's."""
SETTINGS: Final = {
    "PUBLIC_URL": "http://127.0.0.1:8001",
    "SECRET_KEYS": SIGNING_KEY,
    "PARTNER_API_URL": "http://127.0.0.1:9",
    "PARTNER_SERVICE_URL": "http://127.0.0.1:9",
    "PARTNER_CLIENT_ID": "bff",
    "PARTNER_CLIENT_SECRET": "5d0c7f3a9be2416890d1c4a7",
}


@dataclass(frozen=True)
class Start:
    """The modules that are there in the arbiter, and in the worker; what the collector does by then."""

    arbiter: set[str]
    worker: set[str]
    collector: str


def start(database_url: str) -> Start:
    """One start, in a process of its own."""
    settings = {f"HITCHPOST_{name}": value for name, value in SETTINGS.items()}
    told = subprocess.run(
        [sys.executable, "-c", SERVE],
        env={**os.environ, **settings, "HITCHPOST_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    # Before the last two lines, a start logs a database that it has made.
    arbiter, *_, worker, collector = told.stdout.splitlines()
    return Start(set(arbiter.split()), set(worker.split()), collector)


@pytest.mark.one_database
def test_a_start_loads_what_it_needs(tmp_path: Path, database_url: DatabaseUrl) -> None:
    """The arbiter nothing of the app, a worker no migrations where there is nothing to migrate; neither rich.

    On SQLite there is nothing of PostgreSQL either. Each takes megabytes for as long as the program runs. The
    collector is on again after the imports, and there is more that it leaves alone than that it looks at.
    """
    url = database_url(tmp_path, "bff")
    found = start(url)
    assert not found.arbiter & {"flask", "werkzeug", "sqlalchemy", "requests", "cryptography", "rich"}
    assert not found.worker & {"alembic", "mako", "rich"}
    assert url.startswith("postgresql") or "sqlalchemy.dialects.postgresql" not in found.worker
    assert found.worker >= {"flask", "sqlalchemy", "structlog"}
    assert found.collector == "True True"


def test_the_arbiter_of_the_embedded_service_has_no_client_for_http() -> None:
    """It reads the catalogue before its workers patch ssl: their calls over TLS would fail."""
    code = "import bff.partner.__main__, bff.partner.serve, sys; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    assert not set(told.stdout.split()) & {"requests", "urllib3", "flask", "sqlalchemy"}


def test_a_worker_that_would_fail_at_every_call_over_tls_does_not_start() -> None:
    """What was imported too early is named."""
    with pytest.raises(RuntimeError, match="before gevent patches ssl: requests, urllib3"):
        CooperativeWorker.__new__(CooperativeWorker).patch()
