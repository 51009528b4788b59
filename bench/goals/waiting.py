"""Goal 4: pages that wait. How fast one of their reads is, and how many of them one worker bears."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from bench import seed
from bench.bare import bare
from bench.context import Context
from bench.load import LoadFailed, closed_loop
from bench.meter import Measured
from bench.pages import Plan, Told
from bench.product import NAME, Product, running
from bench.results import Figure, Outcome, Series, Verdict
from bench.sides import Side, figure, ratio, side_by_side
from bench.widget import widget_schedule
from bff.connect.poll_schedule import TYPICAL_CONSENT_TIME

BARE: Final = "Flask, a JSON route"
READ_PAGES: Final = 200
"""So many take turns in the closed loop: most reads come between two questions to the partner service."""
PAGES: Final = 5000
FEWER: Final = (1000, 2500)
RATIO, MOST_P99_MS, MOST_CORES = 1.0, 250.0, 0.6
AHEAD_SECONDS: Final = 3.0
"""Between the plan and its begin: the generator starts, and reads it."""
TRIED: Final = (
    "A read checks origin, session token and its end, and makes one SELECT. Tried and kept: the signature"
    " verified once, ends of sessions by one statement for everybody, SELECT by the driver, no write between"
    " two questions."
)
METHOD: Final = (
    f"Reads: wrk, 16 connections in a closed loop, {READ_PAGES} launched attempts in turn; the partner"
    " service answers at once, and is asked as often as the BFF's pace allows. Waiting pages: another program"
    " asks when each page is due by the widget's own pace, whether or not others were answered, each page on"
    " its own connection; each waits for two minutes, and where one goes another comes. A latency runs from"
    " the moment when the read was due."
)


@dataclass(frozen=True)
class Waited:
    """So many pages at once, and what their reads met."""

    pages: int
    told: Told
    cpu_share: float
    seconds: float

    @property
    def p99_ms(self) -> float:
        """Of a hundred reads 99 took no longer, each from the moment it was due."""
        return percentile(self.told.latencies_ms, 0.99)

    @property
    def rate(self) -> float:
        """Reads that were due in a second."""
        return len(self.told.latencies_ms) / self.seconds


def measure(context: Context) -> Outcome:
    """Both."""
    with context.folder("waiting") as folder, context.partner(folder) as partner:
        with running(folder, partner.url) as product, bare(folder, BARE, "bare_status") as peer:
            found = side_by_side(
                context,
                {NAME: _side(product, folder), BARE: Side(peer, _load_of(product, peer.url, folder))},
                context.seconds * 0.3,
            )
        waited = [_wait(context, folder, partner.url, pages) for pages in (*FEWER, PAGES)]
    return _outcome(found, waited)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so great a share of all does not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]


def _side(product: Product, folder: Path) -> Side:
    return Side(product.server, _load_of(product, product.server.url, folder))


def _load_of(product: Product, url: str, folder: Path) -> Any:
    now = time.time()
    age = TYPICAL_CONSENT_TIME.total_seconds() / 2
    asked = len(widget_schedule(age))
    requests = seed.reads(product, [seed.Wait(now - age, asked, now - 1)] * READ_PAGES)
    return lambda seconds: closed_loop(url, requests, folder, seconds=seconds)


def _wait(context: Context, folder: Path, partner_url: str, pages: int) -> Waited:
    """A BFF of its own for each number of pages: nothing is left to do from the one before."""
    print(f"  {pages} waiting pages", flush=True)
    own = folder / str(pages)
    own.mkdir()
    warm_up = context.warm_up + 2
    seconds = context.seconds * (1.5 if pages == PAGES else 0.6)
    with running(own, partner_url) as product:
        plan = _plan(product, pages, warm_up, seconds)
        generator = subprocess.Popen(
            [sys.executable, "-m", "bench.pages"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert generator.stdin is not None
        json.dump(asdict(plan), generator.stdin)
        generator.stdin.close()
        time.sleep(max(0.0, plan.starts_at + warm_up - time.time()))
        before = product.server.cpu_seconds()
        time.sleep(seconds)
        cpu = product.server.cpu_seconds() - before
        assert generator.stdout is not None
        said = generator.stdout.read()
        if generator.wait() != 0:
            raise LoadFailed("the generator of waiting pages broke off")
        product.server.require_alive()
    told = Told(**json.loads(said))
    if told.errors:
        raise LoadFailed(f"{pages} waiting pages met errors: {told.errors}")
    return Waited(pages, told, cpu / seconds, seconds)


def _plan(product: Product, pages: int, warm_up: float, seconds: float) -> Plan:
    """As many pages at any moment: each waits for two minutes, and where one goes, another has come."""
    life, whole = TYPICAL_CONSENT_TIME.total_seconds(), warm_up + seconds
    schedule = widget_schedule(life)
    starts_at = time.time() + AHEAD_SECONDS + pages / 2000
    count = round(pages * (1 + whole / life))
    launches = [-life + (number + 0.5) * (life + whole) / count for number in range(count)]
    waits, dues = [], []
    for launch in launches:
        past = [launch + at for at in schedule if launch + at < 0]
        waits.append(seed.Wait(starts_at + launch, len(past), starts_at + past[-1] if past else None))
        dues.append([launch + at for at in schedule if launch + at >= 0])
    requests = [request.decode() for request in seed.reads(product, waits)]
    return Plan(
        "127.0.0.1",
        product.server.port,
        starts_at,
        (warm_up, whole),
        requests,
        dues,
        expected='"launched"',
    )


def _outcome(found: dict[str, list[Measured]], waited: list[Waited]) -> Outcome:
    ours, peer, most = figure(NAME, found[NAME]), figure(BARE, found[BARE]), waited[-1]
    cause = (
        f"{most.rate:.0f} reads are due in a second, and nearly each asks the partner service as well:"
        f" {most.cpu_share * 1000 / (most.rate or 1):.2f} ms of CPU each."
    )
    p99 = Verdict(f"p99 (ms), {PAGES:,} waiting pages on one worker", most.p99_ms, MOST_P99_MS, False, cause)
    cores = Verdict(f"cores busy with {PAGES:,} waiting pages", most.cpu_share, MOST_CORES, False, cause)
    return Outcome(
        number=4,
        what="pages that wait",
        figures=[ours, peer, *map(_figure, waited)],
        verdicts=[
            ratio("status reads against a bare Flask route", ours, peer, RATIO, TRIED),
            p99,
            cores,
        ],
        series=[
            Series(
                "p99 of a read (ms), by pages that wait",
                tuple(float(one.pages) for one in waited),
                tuple(one.p99_ms for one in waited),
            )
        ],
        method=METHOD,
    )


def _figure(waited: Waited) -> Figure:
    told = waited.told
    note = (
        f"{waited.rate:.0f} reads due a second, {waited.cpu_share:.2f} cores busy, {told.connects}"
        f" connections, the generator itself at most {percentile(told.late_ms, 0.99):.0f} ms late (p99)"
    )
    if told.unanswered:
        note += f"; {told.unanswered} unanswered at the end, so it took longer than this"
    return Figure(
        f"{NAME}, {waited.pages} waiting pages",
        "ms",
        (percentile(told.latencies_ms, 0.5),),
        p99_ms=waited.p99_ms,
        cpu_ms=None if told.unanswered else waited.cpu_share * 1000 / waited.rate,
        note=note,
    )
