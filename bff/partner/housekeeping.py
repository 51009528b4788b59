"""What the running service does although nobody asks: revoke what is due, and forget what is over."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import Final

from bff.partner import clock, revocation
from bff.partner.context import Embedded
from bff.partner.purge import purge

EVERY_SECONDS: Final = 60.0
BATCH: Final = 500
REVOCATIONS: Final = 50

log = logging.getLogger("hitchpost.embedded")


def keep_house(service: Embedded, is_over: Callable[[], bool] = lambda: False) -> int:
    """One round, in batches until nothing is left or ``is_over()``; how much was done.

    Any number of processes may do it at once.
    """
    done = 0
    while True:
        now = clock.now()
        held = revocation.throw_away_unchosen(service, now, BATCH)
        gone = purge(service.database, now, BATCH)
        done += held + sum(gone.values())
        if is_over() or max(held, *gone.values()) < BATCH:
            return done + revocation.retry_revocations(service, REVOCATIONS)


class Housekeeper(threading.Thread):
    """A round every minute, at another moment in each process; ends with the process, or by ``stop``."""

    def __init__(self, service: Embedded, every: float = EVERY_SECONDS) -> None:
        super().__init__(name="housekeeper", daemon=True)
        self._service = service
        self._every = every
        self._over = threading.Event()

    def run(self) -> None:
        """Rounds until it is stopped; one that fails is told, and the next one tries again."""
        while not self._over.wait(self._every * random.uniform(0.5, 1.5)):  # noqa: S311  # nosec B311  # spreads the work
            try:
                keep_house(self._service, self._over.is_set)
            except Exception:
                log.exception("housekeeping failed")

    def stop(self) -> None:
        """No further round."""
        self._over.set()
