"""The background threads of a BFF process: housekeeping, SQLite checkpoints, webhook deliveries."""

from __future__ import annotations

import os
from typing import Final

import structlog

from bff.connect.housekeeping import Housekeeping
from bff.connections.health import Health
from bff.serving.periodic_thread import Rounds, safely
from bff.web.kit.services import Services

EVERY_SECONDS: Final = 20.0

log = structlog.get_logger("hitchpost.housekeeping")


class Housekeeper(Rounds):
    """Runs housekeeping three times a minute, at random offsets so that workers do not coincide."""

    def __init__(
        self, housekeeping: Housekeeping, every: float = EVERY_SECONDS, health: Health | None = None
    ) -> None:
        super().__init__("housekeeping", every, log, spread=0.5)
        self._housekeeping = housekeeping
        self._health = health

    def once(self) -> None:
        """Settle overdue attempts, find late successes, check connections, and delete old rows.

        A step that fails is logged, and the others run.
        """
        ended = safely(log, "ending overdue attempts", self._housekeeping.end_overdue, 0)
        safely(log, "looking for late successes", self._housekeeping.recheck_given_up, 0)
        if (health := self._health) is not None:
            safely(log, "checking connections", lambda: health.look(self._over.is_set), 0)
        nothing: dict[str, int] = {}
        deleted = safely(
            log, "deleting old rows", lambda: self._housekeeping.delete_old(self._over.wait), nothing
        )
        if ended or any(deleted.values()):
            log.info("housekeeping", ended=ended, forgotten=sum(deleted.values()))


class BackgroundThreads:
    """Background threads of a BFF inside a host's app, started in each process at its first request.

    Not at construction: a host may load its app in one process and serve it in others (gunicorn's
    ``preload_app``, a reloader), and threads do not survive a fork.
    """

    def __init__(self, services: Services, *, wanted: bool) -> None:
        self._services = services
        self._wanted = wanted
        self._by_process: dict[int, list[Rounds]] = {}

    def start(self) -> None:
        """Start the threads in this process, unless they run already or are not wanted."""
        process = os.getpid()
        if not self._wanted or process in self._by_process:
            return
        threads: list[Rounds] = [
            Housekeeper(self._services.upkeep.housekeeping, health=self._services.connections.health),
            self._services.upkeep.checkpoints.anew(),
            self._services.webhooks.new_courier(),
        ]
        # Of several first requests at once, ``setdefault`` lets one start its threads. A lock would be unsafe
        # here: a fork could copy it locked.
        if self._by_process.setdefault(process, threads) is threads:
            for thread in threads:
                thread.start()

    def running(self) -> list[str]:
        """The names of the threads that run in this process."""
        return [thread.name for thread in self._by_process.get(os.getpid(), ()) if thread.is_alive()]

    def stop(self) -> None:
        """Stop the threads of this process after their current round."""
        for thread in self._by_process.get(os.getpid(), ()):
            thread.stop()
