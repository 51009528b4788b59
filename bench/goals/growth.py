"""Goal 8: ten million attempts stored, on SQLite and on PostgreSQL, and nobody notices."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from subprocess import CalledProcessError, Popen
from typing import Final

from sqlalchemy import text

from bench.context import Context
from bench.filling_postgresql import FILLING
from bench.growth import NEW_A_SECOND, Purged, due_rows, launch_waits, purged, read_waits
from bench.machine import memory_bytes
from bench.process import ROOT
from bench.product import NAME, Product, running
from bench.results import Figure, Outcome, Series, Verdict
from bff.connect.housekeeping import DELETED_AT_ONCE
from tests.support.postgresql import PostgresqlServer, private_postgresql

ATTEMPTS: Final = int(os.environ.get("HITCHPOST_BENCH_ATTEMPTS", "10000000"))
EMPTY: Final = 2000
"""What an empty table has all the same: something to read."""
BYTES_OF_ONE: Final = 3000
"""On the disk, in both databases, with what sorting needs for a while."""
SLOWER, LATER = 1.1, 2.0
GIGA: Final = 1e9
METHOD: Final = (
    "{attempts:,} attempts lie in each database, of 80 days and in no order of their keys, a fifth of them"
    " never launched; the empty ones have {empty:,}. A client process asks one thing after the other over a"
    " kept connection to each of two BFFs, in turn: {repetitions} runs after one that does not count; the p50"
    " of each is a repetition. Reads are of attempts anywhere in the table. Then {rate} new attempts a second"
    " (or half of what wrk gets out of this machine, if that is less) come to the full one for {seconds:g} s,"
    " at their own time whether or not it answers: first with nothing to purge, then while the service's own"
    " housekeeping purges {due:,} that are over. SQLite has one worker, PostgreSQL one for each core, and its"
    " own default settings."
)

LONGER: Final = (
    "{empty} ms empty, {full} ms full: the difference is about as large as what repetitions differ by. One"
    " row is looked up by a random key in {size:.1f} GB; this machine has {memory:.0f} GB for both databases."
)
PURGING: Final = (
    "p99 went from {calm:.0f} to {busy:.0f} ms while {rows:.0f} rows a second went, in batches of {batch}"
    " that lie anywhere in {size:.1f} GB, each with a rest of at least twice its time. Tried and kept: small"
    " batches by index, SQLite's checkpoints beside the requests and none within a commit."
)


@dataclass(frozen=True)
class Stores:
    """Two databases of one kind: where they are."""

    kind: str
    empty: str
    full: str


@dataclass(frozen=True)
class Found:
    """What was measured with one kind of database."""

    kind: str
    launches: list[list[float]]
    reads: list[list[float]]
    purge: Purged
    size: float
    """Gigabytes of the full one."""


def measure(context: Context) -> Outcome:
    """Fill both databases at once, and then measure one after the other. Raises ``OSError`` without room."""
    with context.folder("growth") as folder, private_postgresql(settings=FILLING) as server:
        _need_room(folder)
        stores = [
            Stores("SQLite", *(f"sqlite:///{folder / name}.db" for name in ("empty", "full"))),
            Stores("PostgreSQL", server.url("empty"), server.url("full")),
        ]
        _fill({url: rows for one in stores for url, rows in ((one.empty, EMPTY), (one.full, ATTEMPTS))})
        _settle(server)
        found = [_measure(context, folder, store) for store in stores]
    return _outcome(context, found)


def _need_room(folder: Path) -> None:
    free, needed = shutil.disk_usage(folder).free, ATTEMPTS * BYTES_OF_ONE
    if free < needed:
        raise OSError(
            f"{ATTEMPTS:,} attempts need {needed / 1e9:.0f} GB on the disk, and {free / 1e9:.0f} GB are free;"
            " HITCHPOST_BENCH_ATTEMPTS=1000000 stores fewer"
        )


def _fill(databases: Mapping[str, int]) -> None:
    """All at once. Raises ``CalledProcessError``."""
    command = [sys.executable, "-m", "bench.filling"]
    fillers = [Popen([*command, url, str(rows)], cwd=ROOT) for url, rows in databases.items()]
    try:
        for one in fillers:
            if one.wait():
                raise CalledProcessError(one.returncode, command)
    finally:
        for one in fillers:
            one.kill()
            one.wait()


def _settle(server: PostgresqlServer) -> None:
    """From here on the server runs as it is installed, and nothing of the filling is still to be written."""
    server.stop()
    server.settings = ()
    server.start()
    os.sync()


def _measure(context: Context, folder: Path, stores: Stores) -> Found:
    with context.partner(folder) as partner, contextlib.ExitStack() as up:
        pair = [up.enter_context(_product(folder, partner.url, stores, name)) for name in ("empty", "full")]
        print(f"  {stores.kind}: waits", flush=True)
        launches, reads = launch_waits(context, folder, pair), read_waits(context, folder, pair)
        print(f"  {stores.kind}: purge", flush=True)
        return Found(stores.kind, launches, reads, purged(context, folder, pair[1]), _gigabytes(pair[1]))


def _gigabytes(product: Product) -> float:
    engine = product.engine
    if engine.dialect.name == "sqlite":
        return Path(engine.url.database or "").stat().st_size / GIGA
    with engine.connect() as connection:
        size: int = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
        return size / GIGA


@contextlib.contextmanager
def _product(folder: Path, partner: str, stores: Stores, name: str) -> Iterator[Product]:
    own = folder / f"{stores.kind}-{name}"
    own.mkdir()
    url = stores.empty if name == "empty" else stores.full
    workers = 1 if stores.kind == "SQLite" else os.cpu_count() or 1
    label = f"{NAME}, {stores.kind}, {name}"
    with running(own, partner, name=label, database_url=url, workers=workers) as product:
        yield product


def _outcome(context: Context, found: list[Found]) -> Outcome:
    return Outcome(
        8,
        f"{ATTEMPTS:,} attempts stored",
        [figure for one in found for figure in _figures(one)],
        [verdict for one in found for verdict in _verdicts(one)],
        [
            Series(
                f"{one.kind}: rows left to purge, over seconds",
                *map(tuple, zip(*one.purge.left, strict=True)),
            )
            for one in found
        ],
        METHOD.format(
            attempts=ATTEMPTS,
            empty=EMPTY,
            repetitions=context.repetitions,
            rate=NEW_A_SECOND,
            seconds=context.seconds,
            due=due_rows(context),
        ),
    )


def _figures(found: Found) -> Iterator[Figure]:
    for what, (empty, full) in (("launch", found.launches), ("read", found.reads)):
        yield Figure(f"{NAME}, {what}, {found.kind}, empty", "ms", tuple(empty))
        yield Figure(f"{NAME}, {what}, {found.kind}, full", "ms", tuple(full))
    purge, new = found.purge, f"{found.purge.new_a_second:.0f} new a second"
    yield Figure(f"{NAME}, {new}, {found.kind}", "ms (p99)", (purge.calm_p99,))
    yield Figure(f"{NAME}, {new} and the purge, {found.kind}", "ms (p99)", (purge.busy_p99,))
    yield Figure(f"{NAME}, purge, {found.kind}", "rows/s", (purge.rows_a_second,))


def _verdicts(found: Found) -> Iterator[Verdict]:
    memory = memory_bytes() / GIGA
    for what, (empty, full) in (("launch", found.launches), ("read", found.reads)):
        ratio = median(full) / median(empty)
        cause = LONGER.format(empty=_range(empty), full=_range(full), size=found.size, memory=memory)
        yield Verdict(
            f"{found.kind}: {what} p50, full over empty", ratio, SLOWER, at_least=False, cause=cause
        )
    purge = found.purge
    rows, calm, busy = purge.rows_a_second, purge.calm_p99, purge.busy_p99
    cause = PURGING.format(size=found.size, rows=rows, batch=DELETED_AT_ONCE, calm=calm, busy=busy)
    yield Verdict(f"{found.kind}: rows purged a second", rows, NEW_A_SECOND, at_least=True, cause=cause)
    yield Verdict(
        f"{found.kind}: p99 with the purge, over without", busy / calm, LATER, at_least=False, cause=cause
    )


def _range(values: list[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"
