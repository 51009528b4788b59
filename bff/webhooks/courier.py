"""The thread of each worker that delivers: woken by what this process records, by the clock for the rest."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import Engine

from bff.serving import metrics
from bff.serving.blocking import is_patched
from bff.serving.periodic_thread import Rounds
from bff.storage import outbox
from bff.webhooks.endpoints import StoredEndpoint
from bff.webhooks.fan_out import BATCH, FanOut
from bff.webhooks.queue import HEALTHY, TROUBLED, Queue
from bff.webhooks.run import Runner

LOOKS_EVERY: Final = 10.0
"""Seconds after which a worker looks for what another one recorded and could not deliver."""
PAUSE: Final = 0.05
"""Seconds between two rounds: what is recorded meanwhile goes together."""
WITHOUT_ROOM: Final = 1.0
"""Seconds after which a worker looks again that has no room for receivers in trouble."""
ENDPOINTS_AT_ONCE: Final = 16
"""Endpoints that a worker of threads delivers to at a time; one of greenlets to four times as many."""

log = structlog.get_logger("hitchpost.webhooks")


class Courier(Rounds):
    """Queues what was recorded, and delivers what is due, to many endpoints at once."""

    def __init__(
        self,
        engine: Engine,
        fan_out: FanOut,
        queue: Queue,
        runner: Runner,
        clock: Callable[[], datetime],
        every: float = LOOKS_EVERY,
    ) -> None:
        super().__init__("webhooks", every, log, spread=0.2)
        self._engine = engine
        self._fan_out = fan_out
        self._queue = queue
        self._runner = runner
        self._clock = clock
        self._room = ENDPOINTS_AT_ONCE * (4 if is_patched() else 1)
        self._busy = {HEALTHY: 0, TROUBLED: 0}
        self._counting = threading.Lock()
        self._woken = threading.Event()
        self._counted_at = 0.0

    def run(self) -> None:
        """Round after round until it is stopped."""
        outbox.listen(self._engine, self.wake)
        rest = PAUSE
        try:
            while not self._over.is_set():
                self._woken.wait(rest)
                self._woken.clear()
                rest = self._checked_round()
                self._over.wait(PAUSE)
        finally:
            outbox.stop_listening(self._engine, self.wake)

    def wake(self) -> None:
        """There is something to do now."""
        self._woken.set()

    def stop(self) -> None:
        """No further round."""
        super().stop()
        self._woken.set()

    def once(self) -> None:
        """Queue what was recorded; begin to deliver what is due, as far as there is room."""
        if self._fan_out.once() == BATCH:
            self.wake()
        for lane in (HEALTHY, TROUBLED):
            room = self._room_in(lane)
            if room > 0:
                for endpoint in self._queue.lease(lane, room):
                    self._begin(lane, endpoint)

    def _checked_round(self) -> float:
        try:
            self.once()
            self._count_what_waits()
            return self._seconds_to_rest()
        except Exception:  # noqa: BLE001  # it is told, and a later round tries again
            self._log.exception(f"{self.name} failed")
            return self._rest()

    def _count_what_waits(self) -> None:
        now = time.monotonic()
        if now - self._counted_at >= self._every:
            self._counted_at = now
            metrics.webhook_backlog(*self._queue.waiting(), self._queue.switched_off())

    def _seconds_to_rest(self) -> float:
        at, usual = self._queue.next_due(), self._rest()
        if at is None:
            return usual
        # What is due and finds no room is begun when a delivery ends, which wakes.
        shortest = PAUSE if self._room_in(TROUBLED) > 0 else WITHOUT_ROOM
        return min(max((at - self._clock()).total_seconds(), shortest), usual)

    def _room_in(self, lane: int) -> int:
        with self._counting:
            left = self._room - sum(self._busy.values())
            # Receivers in trouble never have all of the room, so that one that is well finds some at once.
            return left if lane == HEALTHY else min(left, self._room // 2 - self._busy[TROUBLED])

    def _begin(self, lane: int, endpoint: StoredEndpoint) -> None:
        with self._counting:
            self._busy[lane] += 1
        # A daemon: a worker that stops waits for no slow receiver. The lease ends, and another goes on.
        run = copy_context().run
        threading.Thread(target=run, args=(self._run, lane, endpoint), name="webhook", daemon=True).start()

    def _run(self, lane: int, endpoint: StoredEndpoint) -> None:
        try:
            self._runner.run(endpoint)
        except Exception:  # noqa: BLE001  # its lease ends, and a later round tries again
            self._log.exception("a webhook endpoint failed", endpoint=endpoint.id)
        finally:
            with self._counting:
                self._busy[lane] -= 1
            self.wake()
