"""The webhooks page: endpoints and deliveries, test events, and repeated deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response, make_response, redirect, request

from bff.web.kit import audit
from bff.web.kit.services import services
from bff.web.studio.access import require_publisher
from bff.web.studio.page_context import address, desk, page
from bff.webhooks.endpoints import StoredEndpoint
from bff.webhooks.log import DeliveryFilter, LoggedDelivery

routes = Blueprint("webhooks", __name__)
SHOWN: Final = 30
LONGEST_ID: Final = 64


@dataclass(frozen=True)
class Row:
    """An endpoint, and the number of deliveries that wait for it."""

    endpoint: StoredEndpoint
    waiting: int


@routes.get("/webhooks")
def index() -> Response:
    """Show the endpoints and the newest deliveries."""
    person, at = require_publisher(), desk()
    webhooks = services().webhooks.service
    rows = [
        Row(each, webhooks.log.waiting(each.id)) for each in webhooks.endpoints.of_product(person.product)
    ]
    deliveries, further = webhooks.log.page(DeliveryFilter(person.product), SHOWN)
    sent = request.args.get("sent", "")
    return page(
        "webhooks",
        at,
        "webhooks",
        rows=rows,
        deliveries=deliveries,
        more=further is not None,
        sent=next((each for each in deliveries if each.id == sent), None),
        switched_on=request.args.get("on", "")[:LONGEST_ID],
    )


@routes.post("/webhooks/<endpoint_id>/test")
def test(endpoint_id: str) -> Response:
    """Send a test event, and show the response."""
    person = require_publisher()
    delivery = services().webhooks.service.test(person.product, endpoint_id)
    audit.at_studio("webhook_tested", person, endpoint=delivery.endpoint_id, delivery=delivery.id)
    return _sent(delivery)


@routes.post("/webhooks/<endpoint_id>/on")
def switch_on(endpoint_id: str) -> Response:
    """Switch an endpoint on again."""
    person = require_publisher()
    services().webhooks.service.switch_on(person.product, endpoint_id)
    audit.at_studio("webhook_switched_on", person, endpoint=endpoint_id)
    return make_response(redirect(address(f"webhooks?on={endpoint_id}"), 303))


@routes.post("/webhooks/deliveries/<delivery_id>/again")
def again(delivery_id: str) -> Response:
    """Send one delivery again, and show the response."""
    person = require_publisher()
    delivery = services().webhooks.service.send_again(person.product, delivery_id)
    audit.at_studio("webhook_sent_again", person, endpoint=delivery.endpoint_id, delivery=delivery.id)
    return _sent(delivery)


def _sent(delivery: LoggedDelivery) -> Response:
    return make_response(redirect(address(f"webhooks?sent={delivery.id}"), 303))
