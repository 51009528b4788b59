"""Goal 10: the embedded service, against what its database could do with nothing around it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.bare import PEERS
from bench.context import Context
from bench.embedded import NAME, Embedded, embedded
from bench.load import closed_loop
from bench.meter import Measured, measured
from bench.results import Figure, Outcome, Verdict

BARE: Final = "its database alone, one process"
RATIO: Final = 0.5
MOST_RATE: Final = 2000
"""More redemptions than this in a second, and the tokens run out: then the run fails, and says so."""
MINTS, REDEMPTIONS = "minting", "redeeming"
METHOD: Final = (
    "wrk, 16 connections in a closed loop: tokens minted over the API for 20 accounts in turn; in turns with"
    " that, visits of browsers that each redeem a token of their own and are sent on (302). Tokens a second:"
    " minted and redeemed one after the other, by the two rates. The database alone: a copy of the service's"
    " own (its tables and indices, WAL, synchronous=NORMAL), in which one process writes the same rows in the"
    " same two transactions a token, and does nothing else."
)


def measure(context: Context) -> Outcome:
    """All three, in turn."""
    seconds = context.seconds * 0.4
    with context.folder("embedded") as folder, embedded(folder) as service:
        service.one_round()
        copy = folder / "copy.db"
        service.copy_database(copy)
        loads = _loads(service, folder)
        for load in loads.values():
            load(context.warm_up)
        found: dict[str, list[Any]] = context.interleaved(
            {name: lambda load=load: load(seconds) for name, load in loads.items()}
            | {BARE: lambda: _bare(copy, seconds)}
        )
    return _outcome(found[MINTS], found[REDEMPTIONS], found[BARE])


def _loads(service: Embedded, folder: Path) -> dict[str, Callable[[float], Measured]]:
    server, mints = service.server, service.mints()

    def mint(seconds: float) -> Measured:
        return measured(lambda: closed_loop(server.url, mints, folder, seconds=seconds), server)

    def redeem(seconds: float) -> Measured:
        visits = service.redemptions(round(max(seconds, 1) * MOST_RATE))
        return measured(
            lambda: closed_loop(server.url, visits, folder, seconds=seconds, expected=302, once=True), server
        )

    return {MINTS: mint, REDEMPTIONS: redeem}


def _bare(copy: Path, seconds: float) -> dict[str, float]:
    command = [sys.executable, str(PEERS / "bare_commits.py"), str(copy), str(seconds)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    told: dict[str, float] = json.loads(said)
    return told


def _outcome(mints: list[Measured], visits: list[Measured], bare: list[dict[str, float]]) -> Outcome:
    both = tuple(
        1 / (1 / mint.run.rate + 1 / visit.run.rate) for mint, visit in zip(mints, visits, strict=True)
    )
    costs = {
        MINTS: median(one.cpu_ms(NAME) for one in mints),
        REDEMPTIONS: median(one.cpu_ms(NAME) for one in visits),
    }
    ours = Figure(f"{NAME}, minted and redeemed", "tokens/s", both, cpu_ms=sum(costs.values()))
    alone = Figure(
        BARE,
        "tokens/s",
        tuple(one["rate"] for one in bare),
        cpu_ms=median(one["cpu_ms"] for one in bare),
        note="two write transactions a token",
    )
    cause = (
        f"{ours.cpu_ms:.2f} ms of CPU for each token, of which the writes alone take {alone.cpu_ms:.2f} ms:"
        " two requests through Flask (0.6 to 1.2 ms each, bare), eleven statements by SQLAlchemy (0.3 ms"
        " each) and sealing are the rest. Kept: the access token and the properties are read once, not twice,"
        " which took a seventh off. Not done: these statements by the driver, as the BFF's are."
    )
    verdict = Verdict(
        "against its database alone", ours.median / alone.median, RATIO, at_least=True, cause=cause
    )
    return Outcome(
        number=10,
        what="the embedded service",
        figures=[ours, _figure(MINTS, mints, costs), _figure(REDEMPTIONS, visits, costs), alone],
        verdicts=[verdict],
        method=METHOD,
    )


def _figure(what: str, found: list[Measured], costs: dict[str, float]) -> Figure:
    rates = tuple(one.run.rate for one in found)
    p99 = median(one.run.p99_ms for one in found)
    return Figure(f"{NAME}, {what}", "requests/s", rates, p99_ms=p99, cpu_ms=costs[what])
