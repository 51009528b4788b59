"""Lists for the host's own server, which was away: attempts, and what it was told of them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from bff.common.cursor import Cursor
from bff.connect.attempt import Status
from bff.connect.listing import WantedAttempts
from bff.products.webhook_endpoint import EVENT_TYPES, TEST
from bff.web.kit.authenticate import host_server
from bff.web.kit.queries import Query
from bff.web.kit.responses import answer
from bff.web.kit.services import services
from bff.webhooks.log import STATUSES, LoggedDelivery, Wanted

routes = Blueprint("hitchpost_lists", __name__)


# The widget's routes answer the preflights of this path: no page may read the list.
@routes.get("/v1/attempts", provide_automatic_options=False)
def attempts() -> Response:
    """A page of the product's attempts, newest first.

    A page may hold fewer than `limit` and yet not be the last: go on while `next_cursor` is not null.
    """
    product, query = host_server(), Query(("account", "user", "connector", "status", "since"))
    status = query.choice("status", [each.value for each in Status])
    wanted = WantedAttempts(
        product.key,
        account=query.text("account"),
        user=query.text("user"),
        connector=query.text("connector"),
        status=Status(status) if status else None,
        since=query.moment("since"),
    )
    found, further = services().clicks.attempt_list.page(wanted, query.limit(), query.cursor())
    views = services().clicks.attempt_views
    return answer({"attempts": [views.for_server(each, product) for each in found], **_further(further)})


@routes.get("/v1/webhook-deliveries")
def webhook_deliveries() -> Response:
    """A page of what the product's endpoints were sent, or are to be sent, newest first.

    A page may hold fewer than `limit` and yet not be the last: go on while `next_cursor` is not null.
    """
    product, query = host_server(), Query(("endpoint", "status", "event", "since"))
    wanted = Wanted(
        product.key,
        endpoint=query.text("endpoint"),
        status=query.choice("status", STATUSES),
        event=query.choice("event", (*EVENT_TYPES, TEST)),
        since=query.moment("since"),
    )
    found, further = services().webhooks.service.log.page(wanted, query.limit(), query.cursor())
    return answer({"deliveries": [_delivery(each) for each in found], **_further(further)})


def _further(cursor: Cursor | None) -> dict[str, str | None]:
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
