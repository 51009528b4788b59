"""Throughput side by side: each subject warmed up once, then in turn with the others, and what it cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from bench.context import Context
from bench.load import Run
from bench.meter import Measured, measured
from bench.process import Server
from bench.results import Figure, Verdict

Load = Callable[[float], Run]
"""Loads a subject for so many seconds."""


@dataclass(frozen=True)
class Side:
    """Who is measured, and how."""

    server: Server
    load: Load


def side_by_side(context: Context, sides: Mapping[str, Side], seconds: float) -> dict[str, list[Measured]]:
    """What each subject showed in each repetition. Raises ``LoadFailed``: one answer was not as expected."""
    for side in sides.values():
        side.load(context.warm_up)
    return context.interleaved(
        {
            name: lambda side=side: measured(lambda: side.load(seconds), side.server)  # type: ignore[misc]
            for name, side in sides.items()
        }
    )


def figure(subject: str, found: list[Measured], note: str = "") -> Figure:
    """Answers a second; p99 and CPU time of the middle repetition of each."""
    return Figure(
        subject,
        "requests/s",
        tuple(one.run.rate for one in found),
        p99_ms=median(one.run.p99_ms for one in found),
        cpu_ms=median(sum(one.cpu.values()) * 1000 / one.run.requests for one in found),
        note=note,
    )


def ratio(what: str, ours: Figure, bare: Figure, goal: float, tried: str) -> Verdict:
    """Our rate by that of the bare peer, which has to reach ``goal``; ``tried``: what a miss led to."""
    cause = f"{ours.cpu_ms:.2f} ms of CPU for each, against {bare.cpu_ms:.2f} ms. {tried}"
    return Verdict(what, ours.median / bare.median, goal, at_least=True, cause=cause)
