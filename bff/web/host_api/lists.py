"""Lists for the host's server, to catch up after an outage: attempts and webhook deliveries."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Blueprint, Response
from pydantic import AwareDatetime, BaseModel, Field

from bff.common.cursor import Cursor
from bff.connect.attempt import Status
from bff.connect.listing import AttemptFilter
from bff.openapi.operation import Answer, Parameter
from bff.products.webhook_endpoint import EVENT_TYPES, TEST
from bff.web.kit.authenticate import host_server
from bff.web.kit.queries import Query
from bff.web.kit.responses import answer
from bff.web.kit.services import services
from bff.web.openapi import describe, parameters, shapes
from bff.web.openapi.describe import Access
from bff.webhooks.log import STATUSES, DeliveryFilter, LoggedDelivery

routes = Blueprint("hitchpost_lists", __name__)


class AttemptPage(BaseModel):
    """A page of attempts, newest first, without their timelines."""

    attempts: list[shapes.AttemptState]
    next_cursor: Annotated[str | None, Field(description="For the next page; null after the last one.")]


class WebhookEvent(BaseModel):
    """The event: ``id`` is the delivery's `webhook-id`, ``subject`` the id of an attempt or a connection."""

    id: str
    type: str
    subject: str


class WebhookReceiver(BaseModel):
    """The endpoint. ``url`` is null if the endpoint is no longer registered."""

    id: str
    url: str | None


class WebhookDelivery(BaseModel):
    """The delivery of one event to one endpoint.

    ``attempts`` is the number of tries since the event was last queued: sending it again by hand starts a new
    count. ``response_status``, ``error`` and ``duration_ms``: of the last one.
    """

    id: str
    event: WebhookEvent
    endpoint: WebhookReceiver
    status: Literal["pending", "delivered", "failed"]
    attempts: int
    created_at: AwareDatetime
    last_attempt_at: AwareDatetime | None
    next_attempt_at: AwareDatetime | None
    response_status: int | None
    error: Annotated[str | None, Field(description="Why it was not taken; see docs/webhooks.md.")]
    duration_ms: int | None


class DeliveryPage(BaseModel):
    """A page of webhook deliveries, newest first."""

    deliveries: list[WebhookDelivery]
    next_cursor: Annotated[str | None, Field(description="For the next page; null after the last one.")]


# The widget's routes answer the preflights of this path, so that no page may read the list.
@routes.get("/v1/attempts", provide_automatic_options=False)
@describe.operation(
    Answer(200, "A page of attempts, newest first.", AttemptPage),
    access=Access.SERVER,
    parameters=(
        Parameter("account", "Of this account.", schema=parameters.NON_EMPTY_TEXT),
        Parameter("user", "Of this user.", schema=parameters.NON_EMPTY_TEXT),
        Parameter("connector", "Of this connector.", schema=parameters.NON_EMPTY_TEXT),
        parameters.one_of("status", "Of this status.", [*Status]),
        *parameters.PAGE,
    ),
)
def attempts() -> Response:
    """List the product's attempts, newest first.

    `since` finds what has begun, ended or succeeded late since then. A page may have fewer than `limit`
    entries and not be the last: continue while `next_cursor` is not null.
    """
    product, query = host_server(), Query(("account", "user", "connector", "status", "since"))
    status = query.choice("status", [each.value for each in Status])
    filters = AttemptFilter(
        product.key,
        account=query.text("account"),
        user=query.text("user"),
        connector=query.text("connector"),
        status=Status(status) if status else None,
        since=query.moment("since"),
    )
    page, cursor = services().attempts.listing.page(filters, query.limit(), query.cursor())
    views = services().attempts.views
    return answer({"attempts": [views.for_server(each, product) for each in page], **_next_cursor(cursor)})


@routes.get("/v1/webhook-deliveries")
@describe.operation(
    Answer(200, "A page of webhook deliveries, newest first.", DeliveryPage),
    access=Access.SERVER,
    parameters=(
        Parameter("endpoint", "To the endpoint of this id.", schema=parameters.NON_EMPTY_TEXT),
        parameters.one_of("status", "Of this status.", [*STATUSES]),
        parameters.one_of("event", "Of this type.", [*EVENT_TYPES, TEST]),
        *parameters.PAGE,
    ),
)
def webhook_deliveries() -> Response:
    """List the product's webhook deliveries, newest first.

    A page may have fewer than `limit` entries and not be the last: continue while `next_cursor` is not null.
    """
    product, query = host_server(), Query(("endpoint", "status", "event", "since"))
    filters = DeliveryFilter(
        product.key,
        endpoint=query.text("endpoint"),
        status=query.choice("status", STATUSES),
        event=query.choice("event", (*EVENT_TYPES, TEST)),
        since=query.moment("since"),
    )
    page, cursor = services().webhooks.service.log.page(filters, query.limit(), query.cursor())
    return answer({"deliveries": [_delivery(each) for each in page], **_next_cursor(cursor)})


def _next_cursor(cursor: Cursor | None) -> dict[str, str | None]:
    return {"next_cursor": cursor.text() if cursor else None}


def _delivery(delivery: LoggedDelivery) -> dict[str, Any]:
    def time(name: str) -> str | None:
        at = getattr(delivery, name)
        return at.isoformat() if at else None

    return {
        "id": delivery.id,
        "event": {"id": delivery.event_id, "type": delivery.type, "subject": delivery.subject},
        "endpoint": {"id": delivery.endpoint_id, "url": delivery.url},
        "status": delivery.status,
        "attempts": delivery.attempts,
        "created_at": time("created_at"),
        "last_attempt_at": time("last_at"),
        "next_attempt_at": time("next_at"),
        "response_status": delivery.answer_status,
        "error": delivery.error,
        "duration_ms": delivery.milliseconds,
    }
