"""Periodic work of the service: refresh grants, retry revocations, and purge expired rows."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from bff.partner.context import Embedded
from bff.partner.grants import revocation, upkeep
from bff.partner.purge import purge
from bff.serving.periodic_thread import Rounds

EVERY_SECONDS: Final = 20.0
BATCH: Final = 50
"""Rows in one transaction. It takes a few milliseconds, during which a sign-in may have to wait."""
RESTS, SHORTEST_REST = 2.0, 0.05
"""Pause between batches: ``RESTS`` times the duration of the batch, at least ``SHORTEST_REST`` seconds."""
REVOCATIONS: Final = 50
"""Maximum number of revocations retried in one round."""
LOOKS: Final = 500
"""Maximum number of grants checked in one round, sequentially, for at most 15 seconds."""

log = logging.getLogger("hitchpost.embedded")


def keep_house(service: Embedded, pause: Callable[[float], bool] = lambda _seconds: False) -> int:
    """Run one round, in batches until nothing is left. Return the number of items processed.

    ``pause``: waits the given number of seconds between batches, and returns whether to stop.
    Safe to run in several processes at once.
    """
    done = 0
    while True:
        began, now = time.perf_counter(), service.database.clock.cautious()
        discarded = revocation.throw_away_unchosen(service, now, BATCH)
        purged = purge(service.database, now, BATCH)
        done += discarded + sum(purged.values())
        rest = max(RESTS * (time.perf_counter() - began), SHORTEST_REST)
        if max(discarded, *purged.values()) < BATCH or pause(rest):
            done += revocation.retry_revocations(service, REVOCATIONS)
            return done + upkeep.look_after(service, LOOKS)


class Housekeeper(Rounds):
    """Thread that runs a round every 20 seconds, with jitter between processes."""

    def __init__(self, service: Embedded, every: float = EVERY_SECONDS) -> None:
        super().__init__("housekeeping", every, log, spread=0.5)
        self._service = service

    def once(self) -> None:
        """Run one round."""
        keep_house(self._service, self._over.wait)
