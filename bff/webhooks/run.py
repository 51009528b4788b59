"""Sends the due deliveries of one endpoint, in batches that grow while its receiver is healthy and fast."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from datetime import datetime, timedelta
from typing import Final

import structlog

from bff.serving import metrics
from bff.storage.sealing import CannotOpen
from bff.webhooks import schedule
from bff.webhooks.endpoints import GONE, DatabaseEndpoints, StoredEndpoint
from bff.webhooks.queue import HEALTHY, TROUBLED, Delivery, Queue, Tried
from bff.webhooks.sender import Outcome, Sender
from bff.webhooks.signing import headers

MOST_AT_ONCE: Final = 8
"""Deliveries in parallel to one endpoint."""
MOST_BATCHES: Final = 20
"""Batches of one lease. Then the endpoint is released, so that others get a slot."""
SLOW_SECONDS: Final = 2.0
"""A receiver that takes longer for one delivery counts as slow."""

_THREAD_DIED: Final = Outcome(None, "bad_answer", 0.0, sick=True)
"""Outcome of a delivery whose thread raised."""

log = structlog.get_logger("hitchpost.webhooks")


class Runner:
    """Delivers to endpoints that this worker has leased."""

    def __init__(
        self, queue: Queue, endpoints: DatabaseEndpoints, sender: Sender, clock: Callable[[], datetime]
    ) -> None:
        self._queue = queue
        self._endpoints = endpoints
        self._sender = sender
        self._clock = clock

    def run(self, endpoint: StoredEndpoint) -> None:
        """Send batches until nothing is due, a batch fails, or ``MOST_BATCHES`` is reached; then release."""
        failures, slow, at_once = endpoint.failures, False, 1
        try:
            for batch in range(MOST_BATCHES):
                if batch:
                    self._queue.extend(endpoint.id)
                if not endpoint.is_on:
                    self._abandon(endpoint)
                    break
                due = self._queue.due(endpoint.id, at_once)
                if not due:
                    break
                tried = self.deliver(endpoint, due)
                sick = any(each.outcome.sick for each in tried)
                failures = failures + 1 if sick else 0
                slow = any(each.outcome.seconds > SLOW_SECONDS for each in tried)
                if sick:
                    self._give_up_old(endpoint)
                    break
                if any(each.outcome.error == GONE for each in tried):
                    self._switch_off(endpoint)
                    break
                at_once = 1 if slow else min(at_once * 2, MOST_AT_ONCE)
        finally:
            lane = TROUBLED if failures or slow else HEALTHY
            self._queue.release(endpoint.id, failures=failures, lane=lane, rest=schedule.rest(failures))

    def deliver(
        self, endpoint: StoredEndpoint, deliveries: Sequence[Delivery], *, again: bool = True
    ) -> list[Tried]:
        """Try deliveries once, in parallel, and store and log the results.

        ``again``: a failed delivery stays pending and is retried by its schedule. Otherwise it has failed.
        """
        outcomes = self._send(endpoint, deliveries)
        tried = [
            self._result(delivery, outcome, again=again)
            for delivery, outcome in zip(deliveries, outcomes, strict=True)
        ]
        self._queue.store(tried)
        for each in tried:
            _log(endpoint, each)
        return tried

    def _send(self, endpoint: StoredEndpoint, deliveries: Sequence[Delivery]) -> list[Outcome]:
        if len(deliveries) == 1:
            return [self._send_one(endpoint, deliveries[0])]
        outcomes: dict[str, Outcome] = {}

        def send(delivery: Delivery) -> None:
            outcomes[delivery.id] = self._send_one(endpoint, delivery)

        # Daemon threads, as their caller is: a stopping worker waits for none of them.
        threads = [
            threading.Thread(target=copy_context().run, args=(send, each), name="webhook", daemon=True)
            for each in deliveries
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [outcomes.get(each.id, _THREAD_DIED) for each in deliveries]

    def _send_one(self, endpoint: StoredEndpoint, delivery: Delivery) -> Outcome:
        try:
            secrets = self._endpoints.secrets(endpoint)
        except CannotOpen:
            # The key that sealed it is no longer in HITCHPOST_SECRET_KEYS. Applying the product file again
            # seals the secret with the newest key.
            return Outcome(None, "secret_unreadable", 0.0, sick=True)
        signed = headers(secrets, delivery.event_id, self._clock(), delivery.body)
        return self._sender.send(endpoint.url, delivery.body, signed)

    def _result(self, delivery: Delivery, outcome: Outcome, *, again: bool) -> Tried:
        now = self._clock()
        if outcome.error is None:
            return Tried(delivery, outcome, "delivered", now, now)
        chance = random.random()  # noqa: S311  # spreads the work
        next_at = schedule.next_try(delivery.attempts + 1, now, chance, outcome.retry_after)
        given_up = not again or next_at is None or schedule.is_too_old(delivery.queued_at, now)
        if given_up or next_at is None or outcome.error == GONE:
            return Tried(delivery, outcome, "failed", now, now)
        return Tried(delivery, outcome, "pending", now, next_at)

    def _switch_off(self, endpoint: StoredEndpoint) -> None:
        if self._endpoints.switch_off(endpoint.id, GONE):
            log.warning(
                "webhook endpoint switched off",
                endpoint=endpoint.id,
                product=endpoint.product,
                advice="its receiver answered 410; once it takes events again, switch it on:"
                f" hitchpost webhooks on {endpoint.id}",
            )

    def _abandon(self, endpoint: StoredEndpoint) -> None:
        error = "endpoint_removed" if endpoint.removed_at else "endpoint_off"
        metrics.webhooks("dropped", self._queue.give_up(endpoint.id, error))

    def _give_up_old(self, endpoint: StoredEndpoint) -> None:
        """Fail deliveries that were queued longer ago than any retry schedule lasts.

        Behind a receiver that never answers, most were never tried themselves. The extra minute leaves those
        of the current batch to ``_result``.
        """
        before = self._clock() - schedule.GIVEN_UP_AFTER - timedelta(minutes=1)
        metrics.webhooks("given_up", self._queue.give_up(endpoint.id, "too_old", before))


def _log(endpoint: StoredEndpoint, tried: Tried) -> None:
    results = {"delivered": "delivered", "pending": "failed", "failed": "given_up"}
    metrics.webhooks(results[tried.status], 1)
    line = log.info if tried.status == "delivered" else log.warning
    line(
        "webhook",
        endpoint=endpoint.id,
        product=endpoint.product,
        event_id=tried.delivery.event_id,
        type=tried.delivery.type,
        delivery=tried.delivery.id,
        attempts=tried.delivery.attempts + 1,
        result=results[tried.status],
        answer=tried.outcome.status,
        error=tried.outcome.error,
        milliseconds=round(tried.outcome.seconds * 1000),
    )
