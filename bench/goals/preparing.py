"""Goal 5: attempts prepared ahead of clicks, against a bare route that inserts one row of the same size."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from bench import seed
from bench.bare import bare
from bench.context import Context
from bench.load import closed_loop, http_request
from bench.meter import Measured
from bench.process import Server
from bench.product import NAME, Product, running
from bench.products_file import CONNECTOR
from bench.results import Outcome
from bench.sides import Side, figure, ratio, side_by_side

BARE: Final = "Flask, JSON in, one SQLite insert"
USERS: Final = 200
RATIO: Final = 0.8
BODY: Final = json.dumps({"connector": CONNECTOR}).encode()
TRIED: Final = (
    "An attempt's caller is verified and counted, and its row has several indices. Tried and kept: the INSERT"
    " by the driver, counts in memory, the signature of a session token verified once."
)
METHOD: Final = (
    f"wrk, 16 connections in a closed loop, {USERS} users in turn, each with a session token. The bare route"
    " reads the same JSON and inserts a row as long as an attempt's, in WAL mode with synchronous=NORMAL, one"
    " thread at a time; it checks nothing, and the row has no index but its key."
)


def measure(context: Context) -> Outcome:
    """Both, in turn."""
    with (
        context.folder("preparing") as folder,
        context.partner(folder) as partner,
        running(folder, partner.url) as product,
        _bare(folder, product) as peer,
    ):
        found = side_by_side(
            context,
            {
                NAME: Side(product.server, _load(product, product.server.url, folder)),
                BARE: Side(peer, _load(product, peer.url, folder)),
            },
            context.seconds * 0.8,
        )
    return _outcome(found)


def row_bytes(row: dict[str, Any]) -> int:
    """How long a row is in SQLite: its texts, and times as texts."""
    return sum(len(str(value).encode()) for value in row.values() if value is not None)


def _bare(folder: Path, product: Product) -> AbstractContextManager[Server]:
    environment = {
        "BENCH_DATABASE": str(folder / "bare.db"),
        "BENCH_ROW_BYTES": str(row_bytes(product.begun_row())),
    }
    return bare(folder, BARE, "bare_insert", environment)


def _load(product: Product, url: str, folder: Path) -> Any:
    sessions = seed.Sessions(product)
    requests = [
        http_request("POST", f"{url}/v1/attempts", sessions.headers(account, user), BODY)
        for account, user in seed.users(USERS)
    ]
    return lambda seconds: closed_loop(url, requests, folder, seconds=seconds, expected=201)


def _outcome(found: dict[str, list[Measured]]) -> Outcome:
    ours, peer = figure(NAME, found[NAME]), figure(BARE, found[BARE])
    return Outcome(
        number=5,
        what="attempts prepared ahead of clicks",
        figures=[ours, peer],
        verdicts=[ratio("against a bare Flask route with one insert", ours, peer, RATIO, TRIED)],
        method=METHOD,
    )
