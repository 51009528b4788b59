"""The thread that keeps house while the BFF runs."""

from __future__ import annotations

import random
import threading
from typing import Final

import structlog

from bff.core.housekeeping import Housekeeping

EVERY_SECONDS: Final = 20.0

log = structlog.get_logger("hitchpost.housekeeping")


class Housekeeper(threading.Thread):
    """A round three times a minute, at other moments in each worker; ends with the process or by ``stop``."""

    def __init__(self, housekeeping: Housekeeping, every: float = EVERY_SECONDS) -> None:
        super().__init__(name="housekeeper", daemon=True)
        self._housekeeping = housekeeping
        self._every = every
        self._over = threading.Event()

    def run(self) -> None:
        """Rounds until it is stopped; a round that fails is told, and the next one tries again."""
        while not self._over.wait(self._every * random.uniform(0.5, 1.5)):  # noqa: S311  # nosec B311  # spreads the work
            try:
                ended = self._housekeeping.end_overdue()
                gone = self._housekeeping.forget(self._over.wait)
            except Exception:
                log.exception("housekeeping failed")
            else:
                if ended or any(gone.values()):
                    log.info("housekeeping", ended=ended, forgotten=sum(gone.values()))

    def stop(self) -> None:
        """No further round."""
        self._over.set()
