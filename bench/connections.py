"""What a million connections and a long queue of webhooks cost a page: ``python -m bench.connections``.

Two BFFs run beside each other, on SQLite and then on PostgreSQL: one with next to nothing stored, one with
``HITCHPOST_BENCH_CONNECTIONS`` (1,000,000) connections and ``HITCHPOST_BENCH_DELIVERIES`` (50,000) deliveries
queued for a receiver that takes connections and never says a word. One client asks both in turn, one thing
after the other, for accounts that both have: what is compared is the p50.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final

from sqlalchemy import Engine, bindparam, text

from bench import partner_stub
from bench.growth import FOLDER
from bench.load import http_request
from bench.process import ROOT, serving
from bench.product import HOST, SECRET_KEY, Product, running
from bench.products_file import PRODUCT, products_file
from bench.webhooks import fill as queue
from bench.webhooks import waiting
from bff.products.webhook_endpoint import WebhookEndpoint
from bff.serving.database import open_database, writing
from bff.storage.schema import SCHEMA
from bff.storage.tables import UtcDateTime
from tests.support.ports import free_port
from tests.support.postgresql import NoPostgresql, private_postgresql

STORED: Final = int(os.environ.get("HITCHPOST_BENCH_CONNECTIONS", "1000000"))
QUEUED: Final = int(os.environ.get("HITCHPOST_BENCH_DELIVERIES", "50000"))
ACCOUNTS: Final = 100
"""Those that are asked about. Each has four connections, that have ended."""
TURNS: Final = 1200
REPETITIONS: Final = 5
LIMIT: Final = 1.1
LOOPBACK: Final = "127.0.0.0/8"
INSERT: Final = """
WITH RECURSIVE numbers(i) AS (
    SELECT CAST(:start AS BIGINT) UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < :stop
)
INSERT INTO connections (product, account_id, number, connector_key, connector_name, state, sequence, version,
    external_account, connected_by, changed_at, seen_at, connected_at, look_at)
SELECT 'shop', :account || (i / 4), :first + i, 'sandbox', 'Sandbox CRM', :state, 1, 1,
    'user-' || i || '@sandbox.example', 'user-' || i, :now, :now, :now, :look_at FROM numbers
"""
BATCH: Final = 50_000
"""Rows of one statement: the product's databases cancel one that takes long."""


def store(engine: Engine, rows: int, account: str, first: int, *, stands: bool) -> None:
    """Make so many connections, four to an account."""
    now = datetime.now(UTC)
    of_time = [bindparam(name, type_=UtcDateTime()) for name in ("now", "look_at")]
    # SQLite takes a WITH before an INSERT, PostgreSQL too.
    values = {
        "account": account,
        "first": first,
        "state": "connected" if stands else "disconnected",
        "now": now,
        "look_at": now + timedelta(days=1) if stands else None,
    }
    for start in range(0, rows, BATCH):
        part = {"start": start, "stop": min(start + BATCH, rows)}
        with writing(engine).begin() as connection:
            connection.execute(text(INSERT).bindparams(*of_time), values | part)


def prepared(url: str, rows: int) -> None:
    """A database with the accounts that are asked about, and so many connections of others."""
    engine = open_database(url)
    SCHEMA.upgrade(engine)
    store(engine, 4 * ACCOUNTS, "visitor-", 2_000_000_000, stands=False)
    if rows:
        store(engine, rows, "account-", 10_000, stands=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()


@contextlib.contextmanager
def pair(folder: Path, empty: str, full: str, dead: str) -> Iterator[list[Product]]:
    """Both BFFs, and the partner service that both ask."""
    products = folder / "bench.toml"
    products.write_text(products_file(HOST, SECRET_KEY, {dead: ["*"]}))
    settings = {"HITCHPOST_PRODUCTS": str(products), "HITCHPOST_WEBHOOK_NETWORKS": LOOPBACK}
    port = free_port()
    command = [sys.executable, "-m", "bench.connections", "partner", str(port)]
    with contextlib.ExitStack() as up:
        partner = up.enter_context(serving("partner service", command, port=port, log=folder / "partner.log"))
        found = []
        for name, url in (("empty", empty), ("full", full)):
            own = folder / name
            own.mkdir(parents=True)
            more = {"name": name, "database_url": url, "settings": settings}
            found.append(up.enter_context(running(own, partner.url, **more)))  # type: ignore[arg-type]
        yield found


def asked(product: Product, what: str) -> list[bytes]:
    """So many requests of pages for the configuration, or of the host's server for connections."""
    accounts = [f"visitor-{number % ACCOUNTS}" for number in range(TURNS)]
    if what == "config":
        sessions = {account: product.session(account) for account in set(accounts)}
        page = product.headers | {"Origin": HOST, "X-Hitchpost": "1"}
        url = f"{product.server.url}/v1/config"
        bearers = [page | {"Authorization": f"Bearer {sessions[account]}"} for account in accounts]
        return [http_request("GET", url, headers) for headers in bearers]
    headers = product.headers | {"Authorization": f"Bearer {SECRET_KEY}"}
    urls = [f"{product.server.url}/v1/connections?account={account}" for account in accounts]
    return [http_request("GET", url, headers) for url in urls]


def waits(folder: Path, products: list[Product], what: str) -> list[list[float]]:
    """The p50 of each repetition at each product, in milliseconds, after one that does not count."""
    path, ports = folder / "requests", [str(product.server.port) for product in products]
    mixed = zip(*(asked(product, what) for product in products), strict=True)
    path.write_bytes(b"\0".join(request for each in mixed for request in each))
    found: list[list[float]] = [[] for _ in products]
    for number in range(REPETITIONS + 1):
        command = [sys.executable, str(FOLDER / "sequential.py"), str(path), "200", *ports]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        if told["wrong"]:
            raise SystemExit(f"{len(told['wrong'])} answers were not as expected: {told['wrong'][0]}")
        for one, runs in zip(told["waits"], found, strict=True):
            if number:
                runs.append(median(one))
    return found


def measured(kind: str, folder: Path, empty: str, full: str) -> Iterator[tuple[str, float, float]]:
    """What is read, and its p50 at the empty and at the full one."""
    folder.mkdir(exist_ok=True)
    prepared(empty, 0)
    prepared(full, STORED)
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as silent:
        dead = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        with pair(folder, empty, full, dead) as products:
            queue(full, WebhookEndpoint(PRODUCT, dead, (), ()).id, QUEUED)
            for what in ("config", "connections"):
                found = waits(folder, products, what)
                yield f"{kind}: {what}", median(found[0]), median(found[1])
            print(f"{kind}: {waiting(full):,} deliveries wait at the end", flush=True)


def main() -> int:
    """Measure, and print the table; 1 where something is slower than ``LIMIT`` allows."""
    rows: list[tuple[str, float, float]] = []
    place = ROOT / ".build/bench"
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place) as scratch:
        folder = Path(scratch)
        urls = [f"sqlite:///{folder / name}.db" for name in ("empty", "full")]
        rows += measured("SQLite", folder / "sqlite", *urls)
        try:
            with private_postgresql(settings=()) as server:
                rows += measured("PostgreSQL", folder / "pg", server.url("empty"), server.url("full"))
        except NoPostgresql as reason:
            print(reason)
    print(f"\n{STORED:,} connections, {QUEUED:,} deliveries queued for a dead receiver; p50 of one visitor")
    print("| read | empty | full | full over empty |\n| --- | --- | --- | --- |")
    for what, before, after in rows:
        print(f"| {what} | {before:.2f} ms | {after:.2f} ms | {after / before:.3f} |")
    return 1 if any(after / before > LIMIT for _, before, after in rows) else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["partner"]:
        asyncio.run(partner_stub.main(int(sys.argv[2]), 0))
    sys.exit(main())
