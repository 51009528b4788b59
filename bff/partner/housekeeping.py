"""What the running service does although nobody asks: look after grants, revoke, and forget what is over."""

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
"""Rows in one transaction: a few milliseconds, for which a sign-in may wait."""
RESTS, SHORTEST_REST = 2.0, 0.05
"""A purge rests so many times as long as its batch took, and at least so many seconds."""
REVOCATIONS: Final = 50
LOOKS: Final = 500
"""Grants that one round looks at, one after the other, for fifteen seconds at most."""

log = logging.getLogger("hitchpost.embedded")


def keep_house(service: Embedded, pause: Callable[[float], bool] = lambda _seconds: False) -> int:
    """One round, in batches until nothing is left; how much was done.

    ``pause`` lasts so many seconds between two batches, and says whether to stop. Any number of processes may
    do it at once.
    """
    done = 0
    while True:
        began, now = time.perf_counter(), service.database.clock.cautious()
        held = revocation.throw_away_unchosen(service, now, BATCH)
        gone = purge(service.database, now, BATCH)
        done += held + sum(gone.values())
        rest = max(RESTS * (time.perf_counter() - began), SHORTEST_REST)
        if max(held, *gone.values()) < BATCH or pause(rest):
            done += revocation.retry_revocations(service, REVOCATIONS)
            return done + upkeep.look_after(service, LOOKS)


class Housekeeper(Rounds):
    """A round three times a minute, at other moments in each process."""

    def __init__(self, service: Embedded, every: float = EVERY_SECONDS) -> None:
        super().__init__("housekeeping", every, log, spread=0.5)
        self._service = service

    def once(self) -> None:
        """Keep house once."""
        keep_house(self._service, self._over.wait)
