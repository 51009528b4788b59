"""Goal 10: the embedded service, against a bare Flask app that makes the same commits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from bench.bare import bare
from bench.context import Context
from bench.embedded import NAME, Embedded, embedded
from bench.load import closed_loop
from bench.meter import Measured, measured
from bench.process import Server
from bench.results import Figure, Outcome, Verdict

BARE: Final = "Flask, the same two commits"
RATIO: Final = 0.6
MOST_RATE: Final = 3000
"""More redemptions than this in a second, and the tokens run out: then the run fails, and says so."""
MINTS, REDEMPTIONS = "minting", "redeeming"
METHOD: Final = (
    "wrk, 16 connections in a closed loop: tokens minted over the API for 20 accounts in turn; in turns with"
    " that, visits of browsers that each redeem a token of their own and are sent on (302). Tokens a second:"
    " minted and redeemed one after the other, by the two rates. The bare app (Flask, gunicorn with threads)"
    " answers the same two requests on a copy of the service's own database (its tables and indices, WAL,"
    " synchronous=NORMAL): it writes the same rows in the same two transactions, and checks, seals and counts"
    " nothing."
)

Loads = dict[str, Callable[[float], Measured]]


def measure(context: Context) -> Outcome:
    """Both, in turn."""
    seconds = context.seconds * 0.5
    with context.folder("embedded") as folder, embedded(folder) as service:
        service.one_round()
        copy = folder / "copy.db"
        service.copy_database(copy)
        with bare(folder, BARE, "bare_embedded", {"BENCH_DATABASE": str(copy)}) as peer:
            loads = _loads(service, service.server, service.database, folder)
            loads |= _loads(service, peer, copy, folder)
            for load in loads.values():
                load(context.warm_up / 2)
            found = context.interleaved(
                {name: lambda load=load: load(seconds) for name, load in loads.items()}  # type: ignore[misc]
            )
    return _outcome(found)


def _loads(service: Embedded, server: Server, database: Path, folder: Path) -> Loads:
    mints = service.mints(server)

    def mint(seconds: float) -> Measured:
        return measured(lambda: closed_loop(server.url, mints, folder, seconds=seconds), server)

    def redeem(seconds: float) -> Measured:
        visits = service.redemptions(round(max(seconds, 1) * MOST_RATE), server, database)
        return measured(
            lambda: closed_loop(server.url, visits, folder, seconds=seconds, expected=302, once=True), server
        )

    return {f"{server.name}, {MINTS}": mint, f"{server.name}, {REDEMPTIONS}": redeem}


def _outcome(found: dict[str, list[Measured]]) -> Outcome:
    ours, bare_app = _both(NAME, found), _both(BARE, found)
    cause = (
        f"{ours.cpu_ms:.2f} ms of CPU for each token, against {bare_app.cpu_ms:.2f} ms. Ours knows who asks,"
        " counts calls, reads account, connector and properties, binds the browser, seals what it keeps and"
        " writes the audit's lines. Tried and kept: the access token and the properties read once, statements"
        " compiled once."
    )
    verdict = Verdict(f"against {BARE}", ours.median / bare_app.median, RATIO, at_least=True, cause=cause)
    each = [_figure(name, runs) for name, runs in found.items()]
    return Outcome(10, "the embedded service", [ours, bare_app, *each], [verdict], method=METHOD)


def _both(server: str, found: dict[str, list[Measured]]) -> Figure:
    mints, visits = (found[f"{server}, {what}"] for what in (MINTS, REDEMPTIONS))
    rates = tuple(
        1 / (1 / mint.run.rate + 1 / visit.run.rate) for mint, visit in zip(mints, visits, strict=True)
    )
    cpu = sum(median(one.cpu_ms(server) for one in runs) for runs in (mints, visits))
    return Figure(f"{server}, minted and redeemed", "tokens/s", rates, cpu_ms=cpu)


def _figure(name: str, found: Sequence[Measured]) -> Figure:
    server = next(iter(found[0].cpu))
    return Figure(
        name,
        "requests/s",
        tuple(one.run.rate for one in found),
        p99_ms=median(one.run.p99_ms for one in found),
        cpu_ms=median(one.cpu_ms(server) for one in found),
    )
