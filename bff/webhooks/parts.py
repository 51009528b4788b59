"""Builds the objects of the webhooks feature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from bff.common.faulty_file import FaultyFile
from bff.products.file import AppliedProduct
from bff.products.store import DatabaseProducts
from bff.serving.destinations import Policy
from bff.webhooks.bodies import Bodies
from bff.webhooks.courier import Courier
from bff.webhooks.endpoints import DatabaseEndpoints
from bff.webhooks.fan_out import FanOut
from bff.webhooks.log import DeliveryLog
from bff.webhooks.queue import Queue
from bff.webhooks.run import Runner
from bff.webhooks.sender import Sender
from bff.webhooks.service import Webhooks


@dataclass(frozen=True)
class WebhookParts:
    """The use-cases, and a factory for the delivery thread. Call it once per process, after the fork."""

    service: Webhooks
    new_courier: Callable[[], Courier]


def build(
    engine: Engine,
    endpoints: DatabaseEndpoints,
    bodies: Bodies,
    policy: Policy,
    clock: Callable[[], datetime],
) -> WebhookParts:
    """Build webhooks on this database. Deliveries go only to addresses that ``policy`` allows."""
    queue = Queue(engine, clock)
    runner = Runner(queue, endpoints, Sender(policy), clock)
    fan_out = FanOut(engine, bodies, clock)
    service = Webhooks(engine, endpoints, DeliveryLog(engine, clock), queue, runner, clock)
    return WebhookParts(service, lambda: Courier(engine, fan_out, queue, runner, clock))


def put_products(
    path: Path, products: DatabaseProducts, endpoints: DatabaseEndpoints, applied: Sequence[AppliedProduct]
) -> list[bool]:
    """Store the products of the file at ``path`` with their endpoints: all of them, or none.

    Returns for each whether its content was published. Raises ``FaultyFile``.
    """

    def put_endpoints(connection: Connection, product: AppliedProduct) -> None:
        endpoints.replace_within(connection, product.registration.key, product.webhooks)

    try:
        return products.put_all(applied, put_endpoints)
    except FaultyFile as error:
        raise FaultyFile([f"{path}: {fault}" for fault in error.faults]) from None


def remove_product(products: DatabaseProducts, endpoints: DatabaseEndpoints, key: str) -> None:
    """Remove a product, and its endpoints: what still waits for them fails as ``endpoint_removed``."""
    products.remove(key, lambda connection: endpoints.replace_within(connection, key, ()))
