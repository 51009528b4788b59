"""Builds the objects of the webhooks feature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

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


def put_product(products: DatabaseProducts, endpoints: DatabaseEndpoints, applied: AppliedProduct) -> bool:
    """Store a product of a product file and its endpoints. Returns whether its content was published.

    The endpoints are stored first, so that no event of a new product is missed.
    """
    endpoints.replace(applied.registration.key, applied.webhooks)
    return products.put(applied.registration, applied.content, applied.secret_keys, applied.logos)
