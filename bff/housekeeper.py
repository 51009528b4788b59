"""The thread that keeps house while the BFF runs."""

from __future__ import annotations

from typing import Final

import structlog

from bff.core.housekeeping import Housekeeping
from bff.serving.rounds import Rounds

EVERY_SECONDS: Final = 20.0

log = structlog.get_logger("hitchpost.housekeeping")


class Housekeeper(Rounds):
    """A round three times a minute, at other moments in each worker."""

    def __init__(self, housekeeping: Housekeeping, every: float = EVERY_SECONDS) -> None:
        super().__init__("housekeeping", every, log, spread=0.5)
        self._housekeeping = housekeeping

    def once(self) -> None:
        """End what is overdue, forget what is old."""
        ended = self._housekeeping.end_overdue()
        gone = self._housekeeping.forget(self._over.wait)
        if ended or any(gone.values()):
            log.info("housekeeping", ended=ended, forgotten=sum(gone.values()))
