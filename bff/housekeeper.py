"""The threads that run beside the requests while the BFF runs."""

from __future__ import annotations

import os
from typing import Final

import structlog

from bff.connect.housekeeping import Housekeeping
from bff.connections.health import Health
from bff.serving.periodic_thread import Rounds
from bff.web.kit.services import Services

EVERY_SECONDS: Final = 20.0

log = structlog.get_logger("hitchpost.housekeeping")


class Housekeeper(Rounds):
    """A round three times a minute, at other moments in each worker."""

    def __init__(
        self, housekeeping: Housekeeping, every: float = EVERY_SECONDS, health: Health | None = None
    ) -> None:
        super().__init__("housekeeping", every, log, spread=0.5)
        self._housekeeping = housekeeping
        self._health = health

    def once(self) -> None:
        """End what is overdue, look after what is connected, forget what is old."""
        ended = self._housekeeping.end_overdue()
        if self._health is not None:
            self._health.look(self._over.is_set)
        gone = self._housekeeping.forget(self._over.wait)
        if ended or any(gone.values()):
            log.info("housekeeping", ended=ended, forgotten=sum(gone.values()))


class InEachProcess:
    """Housekeeping, checkpoints and webhooks of a BFF inside a host's app, begun in each process that serves.

    A host may load its app in one process and serve it in others (gunicorn's ``preload_app``, a reloader):
    threads do not survive a fork, and a process that serves nothing needs none.
    """

    def __init__(self, services: Services, *, wanted: bool) -> None:
        self._services = services
        self._wanted = wanted
        self._begun: dict[int, list[Rounds]] = {}

    def begin(self) -> None:
        """Start them, unless this process has or nobody wants them."""
        process = os.getpid()
        if not self._wanted or process in self._begun:
            return
        fresh: list[Rounds] = [
            Housekeeper(self._services.upkeep.housekeeping, health=self._services.connections.health),
            self._services.upkeep.checkpoints.anew(),
            self._services.webhooks.new_courier(),
        ]
        # Of several first requests at once one gets its own in; no lock, as a fork could copy it locked.
        if self._begun.setdefault(process, fresh) is fresh:
            for thread in fresh:
                thread.start()

    def running(self) -> list[str]:
        """The names of what runs in this process."""
        return [thread.name for thread in self._begun.get(os.getpid(), ()) if thread.is_alive()]

    def stop(self) -> None:
        """No further round in this process."""
        for thread in self._begun.get(os.getpid(), ()):
            thread.stop()
