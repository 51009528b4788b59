"""Programs and databases are killed while people connect: nothing is done twice, lost, or told wrongly.

Some stay, and reconnect, lose and end their connection meanwhile.
"""

from __future__ import annotations

import itertools
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.flows import Flow, Seen
from tests.faults.invariants import Inspector
from tests.faults.lives import Life
from tests.faults.programs import Killable, Stack
from tests.faults.stack import DATABASE, run_stack
from tests.support.postgresql import NoPostgresql, PostgresqlServer, private_postgresql

ROUNDS = int(os.environ.get("HITCHPOST_FAULT_ROUNDS") or 5)
"""As many as there are kinds of programs to kill: each is killed once, on one of the databases."""
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID")
SEED = int(os.environ.get("HITCHPOST_FAULT_SEED") or random.Random(RUN).randrange(10**6))
"""The same in each process of a run: what one kills, the other does not."""
CLIENTS = 4
LIVES = 0.5 if "HITCHPOST_FAULT_ROUNDS" in os.environ else 0.0
"""The share of clients who go on with a connection: in `make faults`, whose rounds are many."""


@pytest.fixture
def durable_postgresql() -> Iterator[PostgresqlServer]:
    """A server that keeps what it has confirmed when it is killed (not when its machine is)."""
    try:
        with private_postgresql(settings=("fsync=off", "full_page_writes=off")) as server:
            yield server
    except NoPostgresql as reason:
        pytest.skip(str(reason))


@pytest.mark.timeout(60 + 20 * ROUNDS)
def test_kills_on_sqlite(tmp_path: Path) -> None:
    """One of BFF, its workers, partner service and webhook receiver, at any moment of several flows."""
    with run_stack(tmp_path, 2, None) as stack:
        play(stack, None, "sqlite", max(1, ROUNDS // 2))


@pytest.mark.timeout(60 + 20 * ROUNDS)
def test_kills_on_postgresql(tmp_path: Path, durable_postgresql: PostgresqlServer) -> None:
    """The same, and the database server too."""
    with run_stack(tmp_path, 2, durable_postgresql) as stack:
        play(stack, durable_postgresql, "postgresql", (ROUNDS + 1) // 2)


def play(stack: Stack, server: PostgresqlServer | None, kind: str, rounds: int) -> None:
    """All rounds, and the invariants."""
    print(f"\n{kind}: {rounds} rounds, HITCHPOST_FAULT_SEED={SEED}")
    chance, seen = random.Random(f"{SEED} {kind}"), Seen()
    inspector = Inspector(stack, seen, server)
    kills: Counter[str] = Counter()
    began = time.monotonic()
    for number, target in enumerate(itertools.islice(targets(stack.killables, chance), rounds), 1):
        play_round(stack, seen, target, chance, f"{kind}-{number}")
        kills[target.name] += 1
        inspector.settle()
        if number % 10 == 0:
            print(
                f"{kind}: {number} rounds, {time.monotonic() - began:.0f} s, kills {dict(kills)}", flush=True
            )
    outcomes = inspector.check()
    spent = time.monotonic() - began
    print(f"rounds {rounds} in {spent:.0f} s; kills {dict(kills)}; outcomes {dict(outcomes)}")
    print(f"counts {dict(sorted(seen.counts.items()))}; tokens spent {len(seen.spent)}")
    print(f"violations {len(inspector.violations)}", *inspector.violations[:20], sep="\n  ")
    assert inspector.violations == []


def targets(killables: list[Killable], chance: random.Random) -> Iterator[Killable]:
    """Each before any a second time. On PostgreSQL they begin with the database, and at the other end."""
    programs = [killable for killable in killables if killable.name != DATABASE]
    order = random.Random(SEED).sample(programs, len(programs))
    databases = [killable for killable in killables if killable.name == DATABASE]
    yield from [*databases, *reversed(order)] if databases else order
    while True:
        yield from chance.sample(killables, len(killables))


def play_round(stack: Stack, seen: Seen, target: Killable, chance: random.Random, name: str) -> None:
    """Clients connect; somewhere in it, ``target`` is killed, and comes back."""
    back, numbers = threading.Event(), itertools.count()
    seeds = [chance.random() for _ in range(CLIENTS)]

    def be_a_client(seed: float) -> None:
        own = random.Random(seed)
        while True:
            kind = Life if own.random() < LIVES else Flow
            kind(stack, seen, own, f"{name}-{next(numbers)}").run()
            if back.is_set():
                return

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(be_a_client, seed) for seed in seeds]
        try:
            # The moment is part of what is random: nothing waits for it.
            back.wait(chance.uniform(0.05, 0.8))
            target.kill()
            back.wait(chance.uniform(0.0, 0.2))
            target.restart()
        finally:
            back.set()
        for client in clients:
            client.result()
