"""BFF, embedded partner service and sandbox as processes, on SQLite or on PostgreSQL."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from bff.cli.main import main as hitchpost
from tests.faults.programs import Killable, Program, Stack, kill_database, restart_database
from tests.support.databases import sqlite_url
from tests.support.ports import free_ports
from tests.support.postgresql import PostgresqlServer
from tests.support.world import CLIENT_ID, CLIENT_SECRET, PRODUCTS, SANDBOX_SECRET, catalogue_for

SIGNING_KEY: Final = "k" * 40
WEBHOOK_SECRET: Final = "whsec_" + base64.b64encode(b"of the kill test, 32 bytes long.").decode()
WEBHOOK: Final = """
[[product.webhook]]
url = "http://127.0.0.1:{port}/hooks"
secret = "{secret}"
events = ["*"]
"""
VAULT_KEY: Final = "k1:" + base64.b64encode(bytes(32)).decode()
DATABASE: Final = "database"
"""What kills the server that has both databases is called so."""


@contextlib.contextmanager
def run_stack(folder: Path, workers: int, server: PostgresqlServer | None) -> Iterator[Stack]:
    """Start everything below ``folder``, on ``server`` or on SQLite, until the block ends."""
    *ports, receiving = free_ports(4)
    bff, partner, sandbox = (f"127.0.0.1:{port}" for port in ports)
    if server is None:
        databases = sqlite_url(folder, "bff"), sqlite_url(folder, "partner")
    else:
        databases = server.url("bff", like="bff"), server.url("partner", like="partner")
    programs = _programs(folder, bff, partner, sandbox, databases, workers)
    programs["receiver"] = receiver = _receiver(folder, receiving)
    ours = programs["bff"]
    killables = [
        Killable("bff", ours.kill, ours.start),
        Killable("bff worker", ours.kill_a_worker, lambda: None),
        Killable("partner", programs["partner"].kill, programs["partner"].start),
        Killable("receiver", receiver.kill, receiver.start),
    ]
    if server is not None:
        killables.append(Killable(DATABASE, lambda: kill_database(server), lambda: restart_database(server)))
    stack = Stack(
        f"http://{bff}", f"http://{partner}", f"http://{sandbox}", programs, *databases, killables=killables
    )
    try:
        _apply_products(folder, databases[0], receiving)
        # Each start computes for a second or two, and none needs another.
        with ThreadPoolExecutor(len(programs)) as pool:
            for started in [pool.submit(program.start) for program in programs.values()]:
                started.result()
        yield stack
    finally:
        stack.stop()


def _programs(
    folder: Path, bff: str, partner: str, sandbox: str, databases: tuple[str, str], workers: int
) -> dict[str, Program]:
    (folder / "catalogue.toml").write_text(catalogue_for(f"http://{sandbox}"))
    environments = {
        "sandbox": {
            "HITCHPOST_SANDBOX_PUBLIC_URL": f"http://{sandbox}",
            "HITCHPOST_SANDBOX_BIND": sandbox,
            "HITCHPOST_SANDBOX_CLIENT_SECRET": SANDBOX_SECRET,
            "HITCHPOST_SANDBOX_REDIRECT_URIS": f"http://{partner}/connector/callback",
        },
        "partner": {
            "HITCHPOST_EMBEDDED_PUBLIC_URL": f"http://{partner}",
            "HITCHPOST_EMBEDDED_BIND": partner,
            "HITCHPOST_EMBEDDED_THREADS": "16",
            "HITCHPOST_EMBEDDED_LIMIT_ADDRESS": "1000000",
            "HITCHPOST_EMBEDDED_LIMIT_CLIENT_MINTS": "1000000",
            "HITCHPOST_EMBEDDED_DATABASE_URL": databases[1],
            "HITCHPOST_EMBEDDED_CATALOGUE": str(folder / "catalogue.toml"),
            "HITCHPOST_EMBEDDED_CLIENT_ID": CLIENT_ID,
            "HITCHPOST_EMBEDDED_CLIENT_SECRET": CLIENT_SECRET,
            "HITCHPOST_EMBEDDED_ENCRYPTION_KEYS": VAULT_KEY,
        },
        "bff": {
            "HITCHPOST_PUBLIC_URL": f"http://{bff}",
            "HITCHPOST_BIND": bff,
            "HITCHPOST_WORKERS": str(workers),
            "HITCHPOST_LIMIT_ADDRESS": "1000000",
            "HITCHPOST_THREADS": "16",
            "HITCHPOST_DATABASE_URL": databases[0],
            "HITCHPOST_SECRET_KEYS": SIGNING_KEY,
            "HITCHPOST_PARTNER_API_URL": f"http://{partner}",
            "HITCHPOST_PARTNER_SERVICE_URL": f"http://{partner}",
            "HITCHPOST_PARTNER_CLIENT_ID": CLIENT_ID,
            "HITCHPOST_PARTNER_CLIENT_SECRET": CLIENT_SECRET,
        },
    }
    modules = {
        "sandbox": ["bff.partner.sandbox"],
        "partner": ["bff.partner", "serve"],
        "bff": ["bff", "serve"],
    }
    health = {"sandbox": "/health/live", "partner": "/health/live", "bff": "/health/ready"}
    addresses = {"sandbox": sandbox, "partner": partner, "bff": bff}
    shared = {"HITCHPOST_SANDBOX_CLIENT_SECRET": SANDBOX_SECRET}
    return {
        name: Program(
            modules[name],
            shared | environments[name],
            f"http://{addresses[name]}{health[name]}",
            folder / f"{name}.log",
        )
        for name in modules
    }


def _receiver(folder: Path, port: int) -> Program:
    environment = {
        "RECEIVER_PORT": str(port),
        "RECEIVER_FILE": str(heard_in(folder)),
        "RECEIVER_SECRET": WEBHOOK_SECRET,
    }
    health = f"http://127.0.0.1:{port}/health"
    return Program(["tests.faults.receiver"], environment, health, folder / "receiver.log")


def heard_in(folder: Path) -> Path:
    """Where the host's server writes down what it was told, a line each."""
    return folder / "heard"


def _apply_products(folder: Path, database: str, receiving: int) -> None:
    """Beforehand, once: no program that starts has the file."""
    products = folder / "products.toml"
    hook = WEBHOOK.format(port=receiving, secret=WEBHOOK_SECRET)
    first, other = PRODUCTS.split('[[product]]\nkey = "other"')
    products.write_text(f'{first}{hook}\n[[product]]\nkey = "other"{other}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HITCHPOST_DATABASE_URL", database)
        patch.setenv("HITCHPOST_SECRET_KEYS", SIGNING_KEY)
        assert hitchpost(["products", "apply", str(products)]) == 0
