"""Periodic work of the service: refresh grants, retry revocations, and purge expired rows."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from bff.partner.context import Embedded
from bff.partner.grants import noting, revocation, upkeep
from bff.partner.purge import purge
from bff.serving.periodic_thread import Rounds, safely

EVERY_SECONDS: Final = 20.0
BATCH: Final = 50
"""Rows in one transaction. It takes a few milliseconds, during which a sign-in may have to wait."""
RESTS, SHORTEST_REST = 2.0, 0.05
"""Pause between batches: ``RESTS`` times the duration of the batch, at least ``SHORTEST_REST`` seconds."""
REVOCATIONS: Final = 50
"""Maximum number of revocations retried in one round."""
LOOKS: Final = 500
"""Maximum number of grants checked in one round, for at most 15 seconds."""

log = logging.getLogger("hitchpost.embedded")


class Slow(NamedTuple):
    """The connectors whose third party was slow at the last revocations, and at the last checks."""

    revocations: set[int]
    checks: set[int]


def keep_house(
    service: Embedded,
    pause: Callable[[float], bool] = lambda _seconds: False,
    slow: Slow | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """Run one round, in batches until nothing is left. Return the number of items processed.

    ``pause``: waits the given number of seconds between batches, and returns whether to stop. ``stop``: asked
    before each grant, so that a process that ends finishes those that it has begun, and begins no other.
    ``slow`` is kept from one round to the next. A step that fails is logged, and the others run.
    Safe to run in several processes at once.
    """
    known = slow or Slow(set(), set())
    steps: dict[str, Callable[[], int]] = {
        "purging": lambda: _purge(service, pause),
        "retrying revocations": lambda: revocation.retry_revocations(
            service, REVOCATIONS, slow=known.revocations, stop=stop
        ),
        "looking after grants": lambda: upkeep.look_after(service, LOOKS, slow=known.checks, stop=stop),
    }
    return sum(safely(log, name, step, 0) for name, step in steps.items() if not stop())


def _purge(service: Embedded, pause: Callable[[float], bool]) -> int:
    done = 0
    while True:
        began, now = time.perf_counter(), service.database.clock.cautious()
        discarded = noting.throw_away_unchosen(service, now, BATCH)
        purged = purge(service.database, now, BATCH)
        done += discarded + sum(purged.values())
        rest = max(RESTS * (time.perf_counter() - began), SHORTEST_REST)
        if max(discarded, *purged.values()) < BATCH or pause(rest):
            return done


class Housekeeper(Rounds):
    """Thread that runs a round every 20 seconds, with jitter between processes."""

    def __init__(self, service: Embedded, every: float = EVERY_SECONDS) -> None:
        super().__init__("housekeeping", every, log, spread=0.5)
        self._service = service
        self._slow = Slow(set(), set())

    def once(self) -> None:
        """Run one round."""
        keep_house(self._service, self._over.wait, self._slow, self._over.is_set)
