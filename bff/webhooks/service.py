"""What people and servers do with webhooks: look at them, test them, have something sent again."""

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

KEPT_FOR_OURSELVES: Final = timedelta(seconds=60)
"""A delivery that is sent while somebody waits for its end is left by other workers for so long."""
MOST_AGAIN: Final = 200


class Webhooks:
    """The use-cases. Those that send do so at once, and answer with what came of it."""

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
        """Send an event ``webhook.test``, once. Raises ``NotFound``, ``InvalidRequest`` where it is off."""
        endpoint = self._usable(product, endpoint_id)
        delivery_id = self.log.add_test(endpoint, self._clock() + KEPT_FOR_OURSELVES)
        return self._send(endpoint, delivery_id, again=False)

    def send_again(self, product: str, delivery_id: str) -> LoggedDelivery:
        """Send an event again, whatever became of it: with the same id and body.

        What fails is tried again by its schedule. Raises ``NotFound``, ``InvalidRequest`` where it is off.
        """
        logged = self.log.get(product, delivery_id)
        endpoint = self._usable(product, logged.endpoint_id)
        self.log.queue_again(logged, self._clock() + KEPT_FOR_OURSELVES)
        return self._send(endpoint, delivery_id, again=True)

    def send_failed_again(self, product: str, endpoint_id: str, since: datetime) -> int:
        """Queue every failed delivery of events since then again; how many."""
        endpoint = self._usable(product, endpoint_id)
        count, further = self.log.queue_failed_again(endpoint, since, MOST_AGAIN)
        while further:
            some, further = self.log.queue_failed_again(endpoint, since, MOST_AGAIN, further)
            count += some
        outbox.tell(self._engine)
        return count

    def switch_on(self, product: str, endpoint_id: str) -> None:
        """Deliver there again: what happens from now on. Raises ``NotFound``."""
        self.endpoints.switch_on(product, endpoint_id)

    def _usable(self, product: str, endpoint_id: str) -> StoredEndpoint:
        endpoint = self.endpoints.require(product, endpoint_id)
        if not endpoint.is_on:
            raise InvalidRequest(f"the endpoint {endpoint.id} is switched off; switch it on first")
        return endpoint

    def _send(self, endpoint: StoredEndpoint, delivery_id: str, *, again: bool) -> LoggedDelivery:
        delivery = self._queue.find(delivery_id)
        if delivery is None:
            raise NotFound(f"what the webhook delivery {delivery_id!r} told of is not kept any more")
        self._runner.deliver(endpoint, [delivery], again=again)
        outbox.tell(self._engine)
        return self.log.get(endpoint.product, delivery_id)
