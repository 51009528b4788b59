"""What a queue of webhooks for a dead receiver costs everybody else: ``python -m bench.webhooks``.

A whole Hitchpost runs; its product has two endpoints: one that answers, and one that takes connections and
never says a word. Launches, and the time from a cancel to its webhook, are measured with nothing queued, and
again with so many deliveries queued for the silent one.
"""

from __future__ import annotations

import json
import secrets
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

import requests
from sqlalchemy import func, insert, select, update

from bench.products_file import PRODUCT, products_file
from bff.products.webhook_endpoint import WebhookEndpoint
from bff.serving.database import open_database
from bff.storage.tables import outbox, webhook_deliveries, webhook_endpoints
from bff.testing import Running, run_hitchpost

QUEUED: Final = 50_000
TURNS: Final = 150
WARM_UP: Final = 20
ORIGIN: Final = "https://app.example"
EVENTS: Final = ("attempt.*",)
KEY: Final = "sk_bench_" + secrets.token_urlsafe(24)


class Live(BaseHTTPRequestHandler):
    """The receiver that answers: it notes when it heard of which attempt."""

    heard: Final[dict[str, float]] = {}

    def do_POST(self) -> None:
        """An event."""
        now = time.perf_counter()
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.heard[event["data"]["id"]] = now
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def receivers() -> Iterator[tuple[str, str]]:
    """The URLs of both."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Live)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as silent:
        dead = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        yield dead, f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()


class Visitor:
    """Prepares, launches and cancels attempts."""

    def __init__(self, running: Running) -> None:
        self._bff = running.bff
        self._browser = requests.Session()
        self._host = requests.Session()
        self._host.headers["Authorization"] = f"Bearer {KEY}"
        who = {"user": {"id": "ada"}, "account": {"id": "acme"}}
        token = self._host.post(f"{self._bff}/v1/sessions", json=who, timeout=30).json()["token"]
        self._browser.headers.update(
            {"Authorization": f"Bearer {token}", "X-Hitchpost": "1", "Origin": ORIGIN}
        )

    def turn(self) -> tuple[float, float]:
        """Seconds that a launch took, and from the cancel on until the live receiver had heard of it."""
        wanted = {"connector": "sandbox"}
        attempt: dict[str, Any] = self._browser.post(
            f"{self._bff}/v1/attempts", json=wanted, timeout=30
        ).json()
        form = {"launch_token": attempt["launch_token"], "product": PRODUCT, "origin": ORIGIN}
        began = time.perf_counter()
        launched = self._host.post(
            f"{self._bff}/connect/launch",
            data=form,
            headers={"Origin": self._bff},
            allow_redirects=False,
            timeout=30,
        )
        took = time.perf_counter() - began
        if launched.status_code != 303:
            raise SystemExit(f"a launch was refused: {launched.status_code} {launched.text[:300]}")
        began = time.perf_counter()
        self._browser.post(f"{self._bff}/v1/attempts/{attempt['id']}/cancel", json={}, timeout=30)
        while attempt["id"] not in Live.heard:
            if time.perf_counter() > began + 60:
                raise SystemExit("a webhook did not come within a minute")
            time.sleep(0.001)  # house-allow: sleep: between two looks at the clock that is measured
        return took, Live.heard[attempt["id"]] - began


def fill(database: str, endpoint: str, count: int) -> None:
    """Queue so many deliveries for an endpoint, of one event each."""
    engine, now = open_database(database), datetime.now(UTC)
    common = {"type": "attempt.settled", "product": PRODUCT, "subject": "att_none"}
    body = json.dumps({"id": "evt", "data": {"id": "att_none", "filling": "x" * 600}})
    for start in range(0, count, 5000):
        names = [f"{start + number:08}" for number in range(min(5000, count - start))]
        events = [
            {**common, "id": f"evt_{name}", "account_id": "acme", "at": now, "body": body, "queued_at": now}
            for name in names
        ]
        rows = [
            {
                **common,
                "id": f"whd_{name}",
                "event_id": f"evt_{name}",
                "endpoint_id": endpoint,
                "status": "pending",
                "created_at": now,
                "next_at": now,
            }
            for name in names
        ]
        with engine.begin() as connection:
            connection.execute(insert(outbox), events)
            connection.execute(insert(webhook_deliveries), rows)
            ours = update(webhook_endpoints).where(webhook_endpoints.c.id == endpoint)
            connection.execute(ours.values(due_at=now))
    engine.dispose()


def waiting(database: str) -> int:
    """How many deliveries wait."""
    engine = open_database(database)
    with engine.connect() as connection:
        pending = webhook_deliveries.c.status == "pending"
        found = connection.execute(select(func.count()).where(pending)).scalar_one()
    engine.dispose()
    return int(found)


def measured(visitor: Visitor, turns: int) -> tuple[list[float], list[float]]:
    """Launches and webhooks, in milliseconds."""
    for _ in range(WARM_UP):
        visitor.turn()
    found = [visitor.turn() for _ in range(turns)]
    return [launch * 1000 for launch, _ in found], [hook * 1000 for _, hook in found]


def said(name: str, values: list[float]) -> str:
    """One line of the result."""
    return f"{name}: p50 {median(values):.1f} ms, p95 {quantiles(values, n=20)[-1]:.1f} ms"


def main(queued: int = QUEUED) -> int:
    """Measure, and say what was found; 1 where a launch or the other endpoint was slowed by more than 1.5."""
    with receivers() as (dead, live), tempfile.TemporaryDirectory() as folder:
        products = Path(folder) / "bench.toml"
        products.write_text(products_file(ORIGIN, KEY, {dead: EVENTS, live: EVENTS}))
        place = Path(folder) / "hitchpost"
        place.mkdir()
        with run_hitchpost(folder=place, environment={"HITCHPOST_DEMO_PRODUCTS": str(products)}) as running:
            visitor, database = Visitor(running), f"sqlite:///{place / 'bff.db'}"
            empty = measured(visitor, TURNS)
            fill(database, WebhookEndpoint(PRODUCT, dead, (), ()).id, queued)
            full = measured(visitor, TURNS)
            left = waiting(database)
    for name, before, after in (("launch", empty[0], full[0]), ("webhook", empty[1], full[1])):
        print(said(f"{name}, nothing queued", before))
        print(said(f"{name}, {queued} queued for a dead receiver ({left} at the end)", after))
        print(f"{name}: {median(after) / median(before):.2f}x")
    slowed = [median(full[place]) / median(empty[place]) for place in (0, 1)]
    return 1 if max(slowed) > 1.5 else 0


if __name__ == "__main__":
    sys.exit(main())
