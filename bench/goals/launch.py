"""Goals 1, 2 and 3: the whole launch, beside those who only make its call; far away; on two cores."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final, Protocol

from bench.context import Context
from bench.launches import Mints, OurLaunches, PeerLaunches
from bench.meter import Measured
from bench.process import Server
from bench.product import NAME, running
from bench.results import Figure, Outcome, Series, Verdict
from bench.servers import EXPRESS, FASTAPI, FLASK, Peers

FACTORS: Final = {FLASK: 1.0, FASTAPI: 1.5, EXPRESS: 0.6}
AWAY_MS: Final = 200
CROWD: Final = 300
CROWDS: Final = (25, 50, 100, 200)
CROWD_SETTINGS: Final = {"HITCHPOST_THREADS": str(CROWD + 20)}
"""A thread waits with each click that waits for the partner service."""
STUB: Final = "The partner service of the bench, asked directly"
FAR: Final = f"{NAME}, partner at {AWAY_MS} ms, {CROWD} in flight"
NEAR: Final = f"{NAME}, partner at 0 ms"
ONE, TWO, TWO_APART = f"{NAME}, one worker", f"{NAME}, two workers", f"{NAME}, two workers, no shared counts"
CONNECTIONS: Final = 16
LOAD: Final = (
    "wrk keeps {connections} connections busy (closed loop) after a warm-up of {warm:g} s, for {seconds:g} s,"
    " {repetitions} times, the subjects taking turns; the median counts. Each of our launches uses up a token"
    " of its own, of an attempt that was prepared just before; any answer but 303 fails the run."
)

TRIED: Final = (
    "Tried and kept: statements compiled once and handed to the driver (330 to 63 us for a read, 600 to 120"
    " us for a change), one call instead of two, pooled connections without a session's overhead, counts"
    " without an extension between, log lines written at once, response headers made at the start: from 6.4"
    " to 2.0 times the CPU of the bare handler, one launch at a time. Tried without effect beyond the noise:"
    " a gate that lets one to three threads run, other allocator settings."
)
CROWDED: Final = (
    "{far:.2f} ms of CPU a launch with {crowd} threads that wait, against {near:.2f} ms with {connections}"
    " connections at 0 ms: the threads that wake up contend for the interpreter. A gate that lets few of them"
    " run was tried: no change beyond the noise."
)


class Subject(Protocol):
    """Somebody who is measured."""

    def warm_up(self, seconds: float) -> None:
        """Be used for so long."""

    def measure(self, seconds: float) -> Measured:
        """Be measured for so long."""


def measure_1(context: Context) -> Outcome:
    """Goal 1: our whole launch against handlers that only make its call to the partner service."""
    with context.folder("launch") as folder, context.partner(folder) as partner, contextlib.ExitStack() as up:
        peers = Peers(context.installed, folder, partner.url)
        others = [up.enter_context(start()) for start in (peers.flask, peers.fastapi, peers.express)]
        ours = up.enter_context(running(folder, partner.url))
        subjects: dict[str, Subject] = {NAME: OurLaunches(ours, partner, folder)}
        subjects |= {server.name: PeerLaunches(server, partner, folder) for server in others}
        found = _take_turns(context, subjects | {STUB: Mints(partner, folder)})
        figures = [_figure(name, found[name], partner) for name in found]
    rates = {figure.subject: figure.median for figure in figures}
    cpu = {figure.subject: figure.cpu_ms or 0.0 for figure in figures}
    return Outcome(
        number=1,
        what="the whole launch, one worker, the partner service at 0 ms",
        figures=figures,
        verdicts=[
            Verdict(
                f"against {peer}",
                rates[NAME] / rates[peer],
                factor,
                True,
                f"a launch takes {cpu[NAME]:.2f} ms of our worker's CPU, {cpu[peer]:.2f} of theirs. {TRIED}",
            )
            for peer, factor in FACTORS.items()
        ],
        method=_load(context, CONNECTIONS)
        + " Ours consumes the token, checks the origin, counts the call, records the attempt, and mints for"
        " the account's connector, which the partner service finds: one call; in production mode, behind a"
        " proxy. A peer mints and redirects: one call, nothing stored. All share one stub partner service.",
    )


def measure_2(context: Context) -> Outcome:
    """Goal 2: the same with the partner service 200 ms away and 300 clicks in flight, against 0 ms."""
    with context.folder("near") as near, context.folder("far") as far, contextlib.ExitStack() as up:
        partners = [up.enter_context(context.partner(near)), up.enter_context(context.partner(far, AWAY_MS))]
        folders = (near, far)
        bffs = [
            up.enter_context(running(folder, partner.url, settings=CROWD_SETTINGS))
            for folder, partner in zip(folders, partners, strict=True)
        ]
        subjects = {
            NEAR: OurLaunches(bffs[0], partners[0], near),
            FAR: OurLaunches(bffs[1], partners[1], far, CROWD),
        }
        found = _take_turns(context, subjects)
        figures = [
            _figure(name, runs, partner)
            for (name, runs), partner in zip(found.items(), partners, strict=True)
        ]
        fewer = {
            crowd: OurLaunches(bffs[1], partners[1], far, crowd, subjects[FAR].rate).measure(context.seconds)
            for crowd in CROWDS
        }
    at_0_ms, away = figures
    crowds = fewer | {CROWD: found[FAR][0]}
    x = tuple(float(crowd) for crowd in crowds)
    p99 = away.p99_ms or 0.0
    return Outcome(
        number=2,
        what=f"the partner service {AWAY_MS} ms away, {CROWD} clicks in flight",
        figures=figures,
        verdicts=[
            Verdict(
                "throughput against 0 ms",
                away.median / at_0_ms.median,
                0.9,
                True,
                CROWDED.format(
                    far=away.cpu_ms or 0, near=at_0_ms.cpu_ms or 0, crowd=CROWD, connections=CONNECTIONS
                ),
            ),
            Verdict(
                f"p99, times the partner's {AWAY_MS} ms",
                p99 / AWAY_MS,
                1.5,
                False,
                f"{CROWD} in flight in a closed loop stay for {CROWD} / throughput each (Little's law):"
                f" {CROWD / away.median * 1000:.0f} ms on average at {away.median:.0f} a second, which one"
                f" worker's CPU bounds ({at_0_ms.cpu_ms:.2f} ms a launch at 0 ms). {_best_crowd(fewer)}",
            ),
        ],
        series=[
            Series(
                "launches a second, by clicks in flight", x, tuple(one.run.rate for one in crowds.values())
            ),
            Series("p99 in ms, by clicks in flight", x, tuple(one.run.p99_ms for one in crowds.values())),
        ],
        method=_load(context, CROWD)
        + f" With {CROWD_SETTINGS} for both; at 0 ms with {CONNECTIONS} connections.",
    )


def measure_3(context: Context) -> Outcome:
    """Goal 3: two workers on two cores against one."""
    with context.folder("workers") as folder, contextlib.ExitStack() as up:
        partner = up.enter_context(context.partner(folder))
        subjects = {
            name: up.enter_context(_with_workers(folder, partner, name, workers, settings))
            for name, workers, settings in (
                (ONE, 1, {}),
                (TWO, 2, {}),
                (TWO_APART, 2, {"HITCHPOST_LIMITS_URL": "memory://"}),
            )
        }
        found = _take_turns(context, subjects)
        figures = [_figure(name, found[name], partner) for name in found]
        apiece = [
            Figure(
                name + ", for each CPU second of its own",
                "launches/CPU second",
                _per_cpu_second(name, found[name]),
            )
            for name in found
        ]
    one, two = figures[:2]
    return Outcome(
        number=3,
        what="two workers on two cores against one",
        figures=figures + apiece,
        verdicts=[
            Verdict(
                "against one worker",
                two.median / one.median,
                1.8,
                True,
                _room(found[ONE], found[TWO], partner),
            )
        ],
        method=_load(context, CONNECTIONS * 2)
        + f" This machine has {os.cpu_count()} cores, which load generator and partner service need too.",
    )


@contextlib.contextmanager
def _with_workers(
    folder: Path, partner: Server, name: str, workers: int, settings: Mapping[str, str]
) -> Iterator[OurLaunches]:
    own = folder / f"{workers}-{len(settings)}"
    own.mkdir()
    with running(own, partner.url, name=name, workers=workers, settings=settings) as product:
        yield OurLaunches(product, partner, own, CONNECTIONS * 2)


def _take_turns(context: Context, subjects: Mapping[str, Subject]) -> dict[str, list[Measured]]:
    for subject in subjects.values():
        subject.warm_up(context.warm_up)
    return context.interleaved(
        {name: lambda one=one: one.measure(context.seconds) for name, one in subjects.items()}  # type: ignore[misc]
    )


def _figure(name: str, runs: Sequence[Measured], partner: Server) -> Figure:
    server = next(iter(runs[0].cpu))
    cores = median(one.share(server) for one in runs)
    stub = median(one.share(partner.name) for one in runs)
    generator, left = median(one.generator_share for one in runs), median(one.left for one in runs)
    others = f"; partner service {stub:.2f}" if server != partner.name else ""
    return Figure(
        name,
        "tokens/s" if name == STUB else "requests/s",
        tuple(one.run.rate for one in runs),
        p99_ms=median(one.run.p99_ms for one in runs),
        cpu_ms=median(one.cpu_ms(server) for one in runs),
        note=f"cores used: {cores:.2f}{others}; load generator {generator:.2f}; left idle: {left:.0%}",
    )


def _per_cpu_second(server: str, runs: Sequence[Measured]) -> tuple[float, ...]:
    return tuple(one.run.requests / one.cpu[server] for one in runs)


def _best_crowd(fewer: Mapping[int, Measured]) -> str:
    good = [crowd for crowd, one in fewer.items() if one.run.p99_ms <= 1.5 * AWAY_MS]
    if not good:
        least = min(fewer)
        return f"Even {least} in flight have a p99 of {fewer[least].run.p99_ms:.0f} ms."
    best = max(good)
    return f"With {best} in flight p99 is {fewer[best].run.p99_ms:.0f} ms."


def _room(one: Sequence[Measured], two: Sequence[Measured], partner: Server) -> str:
    """What two cores can give at most, when the load generator and the partner service share them."""
    spent = [sum(run.cpu.values()) + run.run.generator_cpu for run in one]
    each = median(cpu / run.run.requests for cpu, run in zip(spent, one, strict=True))
    rate, cores = median(run.run.rate for run in one), os.cpu_count() or 1
    more = median(run.cpu_ms(TWO) for run in two) / median(run.cpu_ms(ONE) for run in one)
    return (
        f"a launch by one worker costs {each * 1000:.2f} ms of CPU, {partner.name} and load generator"
        f" included: {cores} cores give at most {cores / each / rate:.2f} times one worker's rate. With two"
        f" workers a launch costs ours {more:.2f} times as much CPU: they count calls together in the"
        " database, and take turns to write. The third subject shows the same where each counts for itself."
    )


def _load(context: Context, connections: int) -> str:
    return LOAD.format(
        connections=connections,
        warm=context.warm_up,
        seconds=context.seconds,
        repetitions=context.repetitions,
    )
