"""What grows with the attempts that are stored: the wait of one visitor, and the work of the purge."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final, Self

from sqlalchemy import func, select

from bench.context import Context
from bench.filling import add_due
from bench.load import LoadFailed, closed_loop, http_request
from bench.process import wait_until
from bench.product import HOST, Product
from bench.products_file import CONNECTOR
from bff.purge import UNLAUNCHED_KEPT
from bff.storage.tables import attempts

FOLDER: Final = Path(__file__).parent
NEW_A_SECOND: Final = 500
SHARE: Final = 0.5
"""Of what a machine can do at most: more would measure its queue, and the client needs its own room."""
CONNECTIONS: Final = 16
SESSIONS: Final = 200
"""Visitors who prepare attempts."""
TURNS_A_SECOND: Final = 40
"""So many requests a run has for each second that a measurement is to last: they come one after the other."""
DUE_FOR_EACH_NEW: Final = 10
ROUND_SECONDS: Final = 150.0
"""The housekeeper begins sooner than that."""


@dataclass(frozen=True)
class Purged:
    """What visitors waited without and with the purge, p99 in milliseconds; and how it went."""

    new_a_second: float
    calm_p99: float
    busy_p99: float
    rows_a_second: float
    left: tuple[tuple[float, float], ...]
    """Seconds since the load began, and rows that were still to go."""


def launch_waits(context: Context, folder: Path, products: Sequence[Product]) -> list[list[float]]:
    """The p50 of a launch at each product in each repetition, in milliseconds."""
    count = round(TURNS_A_SECOND * context.seconds)
    return _in_turn(context, folder, products, 303, lambda product: product.launches(count))


def read_waits(context: Context, folder: Path, products: Sequence[Product]) -> list[list[float]]:
    """The same of a page that reads how an attempt stands: any of those that are stored."""
    count = round(TURNS_A_SECOND * context.seconds)
    asked = {id(product): _reads(product, count) for product in products}
    return _in_turn(context, folder, products, 200, lambda product: asked[id(product)])


def purged(context: Context, folder: Path, product: Product) -> Purged:
    """Load with new attempts at a steady rate, with nothing to purge; then while the service purges."""
    path, new = folder / "new", _begins(product)
    path.write_bytes(b"\0".join(new))
    most = closed_loop(
        product.server.url, new, folder, seconds=context.warm_up, connections=CONNECTIONS, expected=201
    )
    rate = round(min(NEW_A_SECOND, SHARE * most.rate))
    calm = _steady(context, product, path, rate)
    add_due(product.engine, due_rows(context), now=datetime.now(UTC))
    oldest = _oldest(product)
    wait_until(lambda: _oldest(product) != oldest, "the housekeeper does not purge", ROUND_SECONDS)
    with Counted(product) as counted:
        busy = _steady(context, product, path, rate)
    if not counted.left[-1][1]:
        raise LoadFailed("the purge was over before the load: there is nothing to see")
    first, last = counted.left[0], counted.left[-1]
    return Purged(rate, calm, busy, (first[1] - last[1]) / (last[0] - first[0]), tuple(counted.left))


def due_rows(context: Context) -> int:
    """More than the purge is through with while it is watched."""
    return round(DUE_FOR_EACH_NEW * NEW_A_SECOND * context.seconds)


class Counted(threading.Thread):
    """Counts every second what is left to purge, for as long as a block lasts."""

    def __init__(self, product: Product) -> None:
        super().__init__(daemon=True)
        self._product = product
        self._over = threading.Event()
        self.left: list[tuple[float, float]] = []

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self.join()
        self._count()

    def run(self) -> None:
        """Count, again and again."""
        self._count()
        while not self._over.wait(1):
            self._count()

    def _count(self) -> None:
        left = _due(self._product)
        self.left.append((round(time.monotonic() - self._began, 2), left))


def _in_turn(
    context: Context, folder: Path, products: Sequence[Product], status: int, requests: Any
) -> list[list[float]]:
    """The median wait at each product in each repetition; a first run warms up and does not count."""
    ports = [str(product.server.port) for product in products]
    found: list[list[float]] = [[] for _ in products]
    path = folder / "requests"
    for number in range(context.repetitions + 1):
        mixed = zip(*(requests(product) for product in products), strict=True)
        path.write_bytes(b"\0".join(request for each in mixed for request in each))
        told = _told([sys.executable, FOLDER / "sequential.py", path, str(status), *ports])
        for waits, runs in zip(told["waits"], found, strict=True):
            if number:
                runs.append(median(waits))
    return found


def _steady(context: Context, product: Product, path: Path, rate: float) -> float:
    told = _told(
        [
            *(context.installed.python, FOLDER / "steady.py", str(product.server.port), path),
            *(str(rate), str(context.seconds), "201"),
        ]
    )
    if told["unanswered"]:
        raise LoadFailed(f"{told['unanswered']} requests got no answer")
    waits: list[float] = told["waits"]
    return quantiles(waits, n=100)[98]


def _told(command: Sequence[str | Path]) -> dict[str, Any]:
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    if ended.returncode:
        raise LoadFailed(ended.stderr[-2000:])
    told: dict[str, Any] = json.loads(ended.stdout)
    if told["wrong"]:
        raise LoadFailed(f"{len(told['wrong'])} answers were not as expected, the first: {told['wrong'][0]}")
    return told


def _reads(product: Product, count: int) -> list[bytes]:
    with product.engine.connect() as connection:
        # Ids are random: whatever comes behind a random one is a random one, however large the table.
        column = attempts.c.id
        some = [
            connection.execute(
                select(column, attempts.c.account_id, attempts.c.user_id)
                .where(column >= "att_" + secrets.token_hex(12), attempts.c.launched_at.is_not(None))
                .order_by(column)
                .limit(1)
            ).one_or_none()
            for _ in range(count)
        ]
    known = [row for row in some if row is not None]
    rows = [known[number % len(known)] for number in range(count)]
    return [
        http_request(
            "GET",
            f"{product.server.url}/v1/attempts/{row.id}",
            product.headers
            | {"Origin": HOST, "Authorization": f"Bearer {product.session(row.account_id, row.user_id)}"},
        )
        for row in rows
    ]


def _begins(product: Product) -> list[bytes]:
    kind = {"Origin": HOST, "Content-Type": "application/json"}
    body = json.dumps({"connector": CONNECTOR}).encode()
    sessions = [product.session(f"account-{number}", f"user-{number}") for number in range(SESSIONS)]
    return [
        http_request(
            "POST",
            f"{product.server.url}/v1/attempts",
            product.headers | kind | {"Authorization": f"Bearer {session}"},
            body,
        )
        for session in sessions
    ]


def _oldest(product: Product) -> datetime | None:
    with product.engine.connect() as connection:
        oldest = select(func.min(attempts.c.expires_at)).where(attempts.c.launched_at.is_(None))
        found: datetime | None = connection.execute(oldest).scalar_one()
        return found


def _due(product: Product) -> int:
    over = attempts.c.expires_at < datetime.now(UTC) - UNLAUNCHED_KEPT
    counted = select(func.count()).where(attempts.c.launched_at.is_(None), over)
    with product.engine.connect() as connection:
        return connection.execute(counted).scalar_one()
