"""Goal 11: launches while thousands of other connections are idle, half-sent or dripping."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.context import Context
from bench.launches import OurLaunches
from bench.load import LoadFailed
from bench.meter import Measured
from bench.product import NAME, Product, running
from bench.results import Figure, Outcome, Verdict
from bench.sides import figure
from bench.slow_clients import DRIP_SECONDS, DRIPPING, HALF_SENT, IDLE

CROWD: Final = Path(__file__).parents[1] / "slow_clients.py"
RATIO: Final = 0.9
ALONE, CROWDED = f"{NAME}, none of them", f"{NAME}, with all of them"
METHOD: Final = (
    f"The load of goal 1. In turns with that, another program holds {IDLE:,} connections that say nothing,"
    f" {HALF_SENT} that have sent half a request head, and {DRIPPING} that send a byte every {DRIP_SECONDS}"
    " s, half of them in a head and half in a body. Whom the worker turns away, because its time is over,"
    " comes again at once. The connections are there before a run begins."
)
CAUSE: Final = (
    "{crowded:.2f} ms of the worker's CPU a launch instead of {alone:.2f}: each connection that is over and"
    " comes again is accepted and closed, and so many timers and greenlets lie in memory."
)


def measure(context: Context) -> Outcome:
    """Both, in turn, against one worker."""
    held: list[dict[str, int]] = []
    with (
        context.folder("patience") as folder,
        context.partner(folder) as partner,
        running(folder, partner.url) as product,
    ):
        launches = OurLaunches(product, partner, folder)
        launches.warm_up(context.warm_up)

        def crowded() -> Measured:
            with _crowd(context, product, held):
                return launches.measure(context.seconds)

        turns: dict[str, Callable[[], Measured]] = {
            ALONE: lambda: launches.measure(context.seconds),
            CROWDED: crowded,
        }
        found = context.interleaved(turns)
    return _outcome(found, held)


@contextlib.contextmanager
def _crowd(context: Context, product: Product, held: list[dict[str, int]]) -> Iterator[None]:
    """Everybody is there while the block lasts. Raises ``LoadFailed`` where they do not come."""
    host = product.headers["Host"]
    command = [str(context.installed.python), str(CROWD), str(product.server.port), host]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as crowd:
        assert crowd.stdin is not None
        assert crowd.stdout is not None
        try:
            if crowd.stdout.readline() != "ready\n":
                raise LoadFailed("the slow connections did not come")
            yield
            crowd.stdin.close()
            told: Any = json.loads(crowd.stdout.readline())
            held.append(told)
        finally:
            crowd.kill()


def _outcome(found: dict[str, list[Measured]], held: list[dict[str, int]]) -> Outcome:
    least, turned_away = min(one["least"] for one in held), median(one["turned_away"] for one in held)
    note = f"at least {least:,} of them connected at any time, {turned_away:.0f} turned away in a run"
    alone, crowded = _figure(ALONE, found), _figure(CROWDED, found, note)
    cause = CAUSE.format(alone=alone.cpu_ms or 0, crowded=crowded.cpu_ms or 0)
    mark = f"launches with {IDLE:,} idle, {HALF_SENT} half-sent, {DRIPPING} dripping connections"
    verdict = Verdict(mark, crowded.median / alone.median, RATIO, at_least=True, cause=cause)
    return Outcome(11, "connections that only wait", [alone, crowded], [verdict], method=METHOD)


def _figure(name: str, found: dict[str, list[Measured]], note: str = "") -> Figure:
    ours = [Measured(one.run, {NAME: one.cpu[NAME]}, one.left) for one in found[name]]
    return figure(name, ours, note)
