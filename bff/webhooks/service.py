"""Use-cases of webhooks, for the HTTP API, the Studio and the CLI: list, test, resend, switch on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from bff.common.errors import InvalidRequest, NotFound
from bff.storage import outbox
from bff.webhooks.endpoints import DatabaseEndpoints, StoredEndpoint
from bff.webhooks.log import DeliveryLog, LoggedDelivery
from bff.webhooks.queue import Queue
from bff.webhooks.run import Runner

RESERVED_FOR_CALLER: Final = timedelta(seconds=60)
"""How long other workers leave a delivery alone that ``test`` or ``send_again`` sends itself."""
RESENDS_PER_TRANSACTION: Final = 200


class Webhooks:
    """The use-cases. ``test`` and ``send_again`` send in the caller's thread and return the result."""

    def __init__(
        self,
        engine: Engine,
        endpoints: DatabaseEndpoints,
        log: DeliveryLog,
        queue: Queue,
        runner: Runner,
        clock: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self.endpoints = endpoints
        self.log = log
        self._queue = queue
        self._runner = runner
        self._clock = clock

    def test(self, product: str, endpoint_id: str) -> LoggedDelivery:
        """Send an event ``webhook.test``, without retries.

        Raises ``NotFound``, or ``InvalidRequest`` for an endpoint that is switched off.
        """
        endpoint = self._require_on(product, endpoint_id)
        delivery_id = self.log.add_test(endpoint, self._clock() + RESERVED_FOR_CALLER)
        return self._send(endpoint, delivery_id, again=False)

    def send_again(self, product: str, delivery_id: str) -> LoggedDelivery:
        """Send a delivery again, whatever its status, with the same event id and body.

        If it fails, it is retried by a new schedule. Raises ``NotFound``, or ``InvalidRequest`` for an
        endpoint that is switched off.
        """
        logged = self.log.get(product, delivery_id)
        endpoint = self._require_on(product, logged.endpoint_id)
        self.log.queue_again(logged, self._clock() + RESERVED_FOR_CALLER)
        return self._send(endpoint, delivery_id, again=True)

    def send_failed_again(self, product: str, endpoint_id: str, since: datetime) -> int:
        """Queue all failed deliveries of events since ``since`` again. Returns how many.

        Raises ``NotFound``, or ``InvalidRequest`` for an endpoint that is switched off.
        """
        endpoint = self._require_on(product, endpoint_id)
        total, cursor = self.log.queue_failed_again(endpoint, since, RESENDS_PER_TRANSACTION)
        while cursor:
            count, cursor = self.log.queue_failed_again(endpoint, since, RESENDS_PER_TRANSACTION, cursor)
            total += count
        outbox.notify(self._engine)
        return total

    def switch_on(self, product: str, endpoint_id: str) -> None:
        """Resume deliveries, for events from now on. Raises ``NotFound``."""
        self.endpoints.switch_on(product, endpoint_id)

    def _require_on(self, product: str, endpoint_id: str) -> StoredEndpoint:
        endpoint = self.endpoints.require(product, endpoint_id)
        if not endpoint.is_on:
            raise InvalidRequest(f"the endpoint {endpoint.id} is switched off; switch it on first")
        return endpoint

    def _send(self, endpoint: StoredEndpoint, delivery_id: str, *, again: bool) -> LoggedDelivery:
        delivery = self._queue.find(delivery_id)
        if delivery is None:
            raise NotFound(f"the event of webhook delivery {delivery_id!r} is not kept any more")
        self._runner.deliver(endpoint, [delivery], again=again)
        outbox.notify(self._engine)
        return self.log.get(endpoint.product, delivery_id)
