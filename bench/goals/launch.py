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
from tests.support.redis_server import NoRedis, private_redis

FACTORS: Final = {FLASK: 0.9, FASTAPI: 1.4, EXPRESS: 0.3}
AWAY_MS: Final = 200
SOME, CROWD = 100, 300
FEWER: Final = (25, 50, 200)
MOST_P99_MS, NEAR_SHARE, TWICE = 300.0, 0.9, 1.8
STUB: Final = "The partner service of the bench, asked directly"
NEAR: Final = f"{NAME}, partner at 0 ms"
FAR, FARTHEST = (f"{NAME}, partner at {AWAY_MS} ms, {count} in flight" for count in (SOME, CROWD))
ONE, TWO = f"{NAME}, one worker", f"{NAME}, two workers, counting in the database"
TWO_REDIS: Final = f"{NAME}, two workers, counting in Redis"
NO_REDIS: Final = "no Redis server on this machine: not measured"
CONNECTIONS: Final = 16
LOAD: Final = (
    "wrk keeps {connections} connections busy (closed loop) after a warm-up of {warm:g} s, for {seconds:g} s,"
    " {repetitions} times, the subjects taking turns; the median counts. Each of our launches uses up a token"
    " of its own, of an attempt that was prepared just before; any answer but 303 fails the run."
)
TRIED: Final = (
    "Tried and kept: gevent workers (0.7x the CPU of threads), statements by the driver, one call instead of"
    " two, SQLite's connection of last time, the system's own look at a kept connection. Tried and dropped:"
    " urllib3 without requests (no sure gain), SQLite connections past SQLAlchemy's pool (1.5 %). The rest is"
    " flat: the call 27 %, three changes and reads 25 %, three log lines 8 %, Flask and gunicorn the rest."
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
    theirs = ", ".join(f"{cpu[peer]:.2f} of {peer}'s" for peer in FACTORS)
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
                f"a launch takes {cpu[NAME]:.2f} ms of our worker's CPU; {theirs}. {TRIED}",
            )
            for peer, factor in FACTORS.items()
        ],
        method=_load(context, CONNECTIONS)
        + " Ours consumes the token, checks the origin, counts the call, records the attempt, and mints for"
        " the account's connector, which the partner service finds: one call; in production mode, behind a"
        " proxy. A peer mints and redirects: one call, nothing stored. All share one stub partner service.",
    )


def measure_2(context: Context) -> Outcome:
    """Goal 2: the same with the partner service 200 ms away and many clicks in flight, against 0 ms."""
    with context.folder("near") as near, context.folder("far") as far, contextlib.ExitStack() as up:
        partners = [up.enter_context(context.partner(near)), up.enter_context(context.partner(far, AWAY_MS))]
        bffs = [
            up.enter_context(running(folder, partner.url))
            for folder, partner in zip((near, far), partners, strict=True)
        ]
        subjects = {
            NEAR: OurLaunches(bffs[0], partners[0], near),
            FAR: OurLaunches(bffs[1], partners[1], far, SOME),
            FARTHEST: OurLaunches(bffs[1], partners[1], far, CROWD),
        }
        found = _take_turns(context, subjects)
        rate = subjects[FARTHEST].rate
        fewer = {
            crowd: OurLaunches(bffs[1], partners[1], far, crowd, rate).measure(context.seconds)
            for crowd in FEWER
        }
    of = {NEAR: partners[0], FAR: partners[1], FARTHEST: partners[1]}
    figures = [_figure(name, runs, of[name]) for name, runs in found.items()]
    crowds = fewer | {SOME: found[FAR][0], CROWD: found[FARTHEST][0]}
    return Outcome(
        number=2,
        what=f"the partner service {AWAY_MS} ms away, {SOME} and {CROWD} clicks in flight",
        figures=figures,
        verdicts=_crowded(*figures),
        series=_by_crowd({crowd: crowds[crowd] for crowd in sorted(crowds)}),
        method=_load(context, CONNECTIONS).replace("keeps 16", f"keeps {SOME} or {CROWD}")
        + f" At 0 ms with {CONNECTIONS} connections.",
    )


def _crowded(near: Figure, far: Figure, farthest: Figure) -> list[Verdict]:
    fewest = SOME / (near.median or 1) * 1000
    late = (
        f"{SOME} in flight in a closed loop stay for {SOME} / throughput each (Little's law): one worker that"
        f" launches {near.median:.0f} a second at 0 ms makes that {max(AWAY_MS, fewest):.0f} ms on average,"
        " and the rest is the queue for its one core."
    )
    less = (
        f"{farthest.cpu_ms or 0:.2f} ms of CPU a launch with {CROWD} in flight, against"
        f" {near.cpu_ms or 0:.2f} ms with {CONNECTIONS}: as many more connections to the partner service."
    )
    return [
        Verdict(f"p99 (ms), {SOME} in flight", far.p99_ms or 0.0, MOST_P99_MS, False, late),
        Verdict(
            f"launches with {CROWD} in flight, against its own at 0 ms",
            farthest.median / near.median,
            NEAR_SHARE,
            True,
            less,
        ),
    ]


def _by_crowd(crowds: Mapping[int, Measured]) -> list[Series]:
    x = tuple(float(crowd) for crowd in crowds)
    rates, p99s = (tuple(getattr(one.run, name) for one in crowds.values()) for name in ("rate", "p99_ms"))
    return [
        Series("launches a second, by clicks in flight", x, rates),
        Series("p99 in ms, by clicks in flight", x, p99s),
    ]


def measure_3(context: Context) -> Outcome:
    """Goal 3: two workers on two cores against one, calls counted in the database and in Redis."""
    with context.folder("workers") as folder, contextlib.ExitStack() as up:
        partner = up.enter_context(context.partner(folder))
        subjects = {ONE: up.enter_context(_with_workers(folder, partner, ONE, 1, {}))}
        subjects[TWO] = up.enter_context(_with_workers(folder, partner, TWO, 2, {}))
        with contextlib.suppress(NoRedis):
            redis = {"HITCHPOST_LIMITS_URL": up.enter_context(private_redis()).url}
            subjects[TWO_REDIS] = up.enter_context(_with_workers(folder, partner, TWO_REDIS, 2, redis))
        found = _take_turns(context, subjects)
    figures = [_figure(name, found[name], partner) for name in found]
    one = figures[0]
    return Outcome(
        number=3,
        what="two workers on two cores against one",
        figures=figures,
        verdicts=[
            Verdict(
                two.subject.removeprefix(f"{NAME}, ") + ", against one",
                two.median / one.median,
                TWICE,
                True,
                _room(found[ONE], found[two.subject], partner),
            )
            for two in figures[1:]
        ],
        method=_load(context, CONNECTIONS * 2)
        + f" This machine has {os.cpu_count()} cores, which load generator and partner service need too."
        + ("" if TWO_REDIS in found else f" Redis: {NO_REDIS}."),
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


def _room(one: Sequence[Measured], two: Sequence[Measured], partner: Server) -> str:
    """What two cores can give at most, when the load generator and the partner service share them."""
    spent = [sum(run.cpu.values()) + run.run.generator_cpu for run in one]
    each = median(cpu / run.run.requests for cpu, run in zip(spent, one, strict=True))
    rate, cores = median(run.run.rate for run in one), os.cpu_count() or 1
    name = next(iter(two[0].cpu))
    more = median(run.cpu_ms(name) for run in two) / median(run.cpu_ms(ONE) for run in one)
    left = median(run.left for run in two)
    return (
        f"A launch by one worker costs {each * 1000:.2f} ms of CPU, {partner.name} and load generator"
        f" included, so {cores} cores give at most {cores / each / rate:.2f} times one worker's rate. With"
        f" two workers each launch costs {more:.2f} times as much CPU (they count together, and take turns to"
        f" write), and {left:.0%} of the machine was idle."
    )


def _load(context: Context, connections: int) -> str:
    return LOAD.format(
        connections=connections,
        warm=context.warm_up,
        seconds=context.seconds,
        repetitions=context.repetitions,
    )
