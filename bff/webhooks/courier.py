"""The delivery thread of each worker process.

An event that this process recorded wakes it at once. It finds retries and other processes' events by polling.
"""

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
"""Seconds between two polls of the queue, for events that another worker recorded and could not deliver."""
PAUSE: Final = 0.05
"""Least seconds between two rounds, so that events recorded in a burst are queued in one transaction."""
PAUSE_WHEN_FULL: Final = 1.0
"""Seconds until the next round while all slots for troubled endpoints are taken."""
ENDPOINTS_AT_ONCE: Final = 16
"""Endpoints that one worker process delivers to at a time. With greenlets it is four times as many."""

log = structlog.get_logger("hitchpost.webhooks")


class Courier(Rounds):
    """Queues recorded events and starts a thread for each endpoint that has deliveries due."""

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
        self._slots = ENDPOINTS_AT_ONCE * (4 if is_patched() else 1)
        self._busy = {HEALTHY: 0, TROUBLED: 0}
        self._busy_lock = threading.Lock()
        self._woken = threading.Event()
        self._measured_at = 0.0

    def run(self) -> None:
        """Run rounds until ``stop`` is called."""
        outbox.listen(self._engine, self.wake)
        rest = PAUSE
        try:
            while not self._over.is_set():
                self._woken.wait(rest)
                self._woken.clear()
                rest = self._safe_round()
                self._over.wait(PAUSE)
        finally:
            outbox.stop_listening(self._engine, self.wake)

    def wake(self) -> None:
        """Start the next round now."""
        self._woken.set()

    def stop(self) -> None:
        """End after the current round."""
        super().stop()
        self._woken.set()

    def once(self) -> None:
        """Run one round: queue recorded events, then start deliveries while slots are free."""
        if self._fan_out.once() == BATCH:
            self.wake()
        for lane in (HEALTHY, TROUBLED):
            free = self._free_slots(lane)
            if free > 0:
                for endpoint in self._queue.lease(lane, free):
                    self._start(lane, endpoint)

    def _safe_round(self) -> float:
        """Run one round, log whatever it raises, and return the seconds to wait before the next."""
        try:
            self.once()
            self._measure_backlog()
            return self._seconds_to_rest()
        except Exception:  # noqa: BLE001  # it is logged, and the next round tries again
            self._log.exception(f"{self.name} failed")
            return self._rest()

    def _measure_backlog(self) -> None:
        now = time.monotonic()
        if now - self._measured_at >= self._every:
            self._measured_at = now
            metrics.webhook_backlog(*self._queue.waiting(), self._queue.switched_off())

    def _seconds_to_rest(self) -> float:
        at, usual = self._queue.next_due(), self._rest()
        if at is None:
            return usual
        # With all slots taken there is no hurry: a thread that ends wakes this one.
        shortest = PAUSE if self._free_slots(TROUBLED) > 0 else PAUSE_WHEN_FULL
        return min(max((at - self._clock()).total_seconds(), shortest), usual)

    def _free_slots(self, lane: int) -> int:
        with self._busy_lock:
            free = self._slots - sum(self._busy.values())
            # Troubled endpoints get at most half, so that a healthy one never waits for their time-outs.
            return free if lane == HEALTHY else min(free, self._slots // 2 - self._busy[TROUBLED])

    def _start(self, lane: int, endpoint: StoredEndpoint) -> None:
        with self._busy_lock:
            self._busy[lane] += 1
        # A daemon thread, so that a stopping worker does not wait for a slow receiver. Its lease expires, and
        # another worker continues.
        run = copy_context().run
        threading.Thread(target=run, args=(self._run, lane, endpoint), name="webhook", daemon=True).start()

    def _run(self, lane: int, endpoint: StoredEndpoint) -> None:
        try:
            self._runner.run(endpoint)
        except Exception:  # noqa: BLE001  # its lease expires, and a later round tries again
            self._log.exception("a webhook endpoint failed", endpoint=endpoint.id)
        finally:
            with self._busy_lock:
                self._busy[lane] -= 1
            self.wake()
