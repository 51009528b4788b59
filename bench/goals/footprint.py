"""Goal 9: what a worker takes of memory, idle and loaded, and how soon it is ready."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from bench import seed
from bench.bare import bare
from bench.context import Context
from bench.load import closed_loop, http_request
from bench.process import Server
from bench.product import NAME, running
from bench.results import Figure, Outcome, Verdict
from bff.connect.poll_schedule import TYPICAL_CONSENT_TIME

BARE: Final = "Flask + gunicorn"
MOST_MORE_MB, MOST_SECONDS = 60.0, 1.5
PAGES: Final = 200
CONNECTIONS: Final = 64
"""More than there are threads: every thread has worked, and has its memory."""
MEGA: Final = 1_000_000
MEMORY: Final = (
    "It is what is imported: our own modules 16 MB, SQLAlchemy 11, cryptography 8, pydantic 8, gevent 4, and"
    " the process that watches the worker has 13 more than a bare one. Tried and kept: alembic and one"
    " dialect only when needed, no colours for logs. Tried and dropped: settings read by a child process, and"
    " gevent imported after the fork (8 MB less, by two more kinds of processes). Tried without effect:"
    " giving free memory back (0.5 MB), clearing caches, fewer arenas."
)
FIRST: Final = (
    "The first start loads alembic and makes every table by its migrations, {more:.2f} s more than a later"
    " one. Not done: tables made without them, which could then differ from those that grew by them."
)
METHOD: Final = (
    "Memory from /proc/PID/smaps_rollup, gunicorn's arbiter and its one worker together; PSS counts what"
    " processes share once, USS only what is a process's own. Loaded: after wrk with"
    f" {CONNECTIONS} connections (status reads, or the bare JSON route), every thread of the bare one"
    " started. Ready: from the start of the process to the answer of its health route, first without a"
    " database (which is then made), then on the one that is there. Each stands alone while it is measured."
)

Started = tuple[Server, Callable[[], list[bytes]]]
"""A program that is ready, and the requests of its load, made when they are asked for."""


@dataclass(frozen=True)
class Found:
    """One start of one program, megabytes and seconds."""

    ready: float
    idle_pss: float
    idle_uss: float
    loaded_pss: float
    loaded_uss: float


def measure(context: Context) -> Outcome:
    """Each program started anew for each repetition; ours twice, the first time on an empty folder."""
    with context.folder("footprint") as folder, context.partner(folder) as partner:
        firsts: list[float] = []

        def ours() -> Found:
            with context.folder("ours") as own:
                began = time.monotonic()
                with running(own, partner.url):
                    firsts.append(time.monotonic() - began)
                return _found(context, own, _ours(own, partner.url))

        def peer() -> Found:
            with context.folder("bare") as own:
                return _found(context, own, _bare(own))

        found = context.interleaved({NAME: ours, BARE: peer})
    return _outcome(found[NAME], found[BARE], firsts)


def memory_mb(server: Server) -> tuple[float, float]:
    """PSS and USS of all its processes."""
    pss = uss = 0
    for process in server.family():
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            name, *values = line.split()
            pss += int(values[0]) * 1024 if name == "Pss:" else 0
            uss += int(values[0]) * 1024 if name in {"Private_Clean:", "Private_Dirty:"} else 0
    return pss / MEGA, uss / MEGA


def _found(context: Context, folder: Path, program: AbstractContextManager[Started]) -> Found:
    began = time.monotonic()
    with program as (server, requests):
        ready = time.monotonic() - began
        idle = memory_mb(server)
        closed_loop(server.url, requests(), folder, seconds=context.seconds * 0.4, connections=CONNECTIONS)
        return Found(ready, *idle, *memory_mb(server))


@contextmanager
def _ours(folder: Path, partner_url: str) -> Iterator[Started]:
    with running(folder, partner_url) as product:
        now, age = time.time(), TYPICAL_CONSENT_TIME.total_seconds() / 2
        yield product.server, lambda: seed.reads(product, [seed.Wait(now - age)] * PAGES)


@contextmanager
def _bare(folder: Path) -> Iterator[Started]:
    with bare(folder, BARE, "bare_status") as server:
        yield server, lambda: [http_request("GET", f"{server.url}/v1/attempts/att_1", seed.BROWSER)]


def _outcome(ours: list[Found], peer: list[Found], firsts: list[float]) -> Outcome:
    figures, verdicts = [], []
    for what, name in (("idle", "idle_pss"), ("loaded", "loaded_pss")):
        found = {subject: _values(of, name) for subject, of in ((NAME, ours), (BARE, peer))}
        for subject, of in ((NAME, ours), (BARE, peer)):
            own = median(_values(of, name.replace("pss", "uss")))
            figures.append(Figure(f"{subject}, {what}", "MB", found[subject], note=f"USS {own:.0f} MB"))
        more = median(found[NAME]) - median(found[BARE])
        mark = f"MB (PSS) more than {BARE}, {what}"
        verdicts.append(Verdict(mark, more, MOST_MORE_MB, at_least=False, cause=MEMORY))
    ready = _values(ours, "ready")
    more = median(firsts) - median(ready)
    starts = {
        f"{NAME}, from start to ready": (ready, "Its imports are most of it."),
        f"{NAME}, the first start, which makes the database": (tuple(firsts), FIRST.format(more=more)),
    }
    figures += [Figure(subject, "s", seconds) for subject, (seconds, _) in starts.items()]
    figures.append(Figure(f"{BARE}, from start to ready", "s", _values(peer, "ready")))
    verdicts += [
        Verdict(f"seconds: {subject}", median(seconds), MOST_SECONDS, at_least=False, cause=cause)
        for subject, (seconds, cause) in starts.items()
    ]
    return Outcome(9, "memory, and time to be ready", figures, verdicts, method=METHOD)


def _values(found: list[Found], name: str) -> tuple[float, ...]:
    return tuple(getattr(one, name) for one in found)
