"""The JSON body of an event: made once, stored, and the same in every delivery and retry."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bff.connect.attempt_view import AttemptViews
from bff.connect.ports import AttemptStore
from bff.content.ports import ProductStore


@dataclass(frozen=True)
class RecordedEvent:
    """A row of the outbox. ``data`` is None for an attempt, which is read when the body is made."""

    id: str
    type: str
    product: str
    account_id: str
    subject: str
    data: dict[str, Any] | None
    at: datetime


class Bodies:
    """Builds the bodies of events."""

    def __init__(self, attempts: AttemptStore, products: ProductStore, views: AttemptViews) -> None:
        self._attempts = attempts
        self._products = products
        self._views = views

    def of(self, event: RecordedEvent) -> str | None:
        """The body of an event. None when its attempt or its product has been deleted."""
        data = event.data if event.data is not None else self._attempt(event)
        return None if data is None else body_of(event, data)

    def _attempt(self, event: RecordedEvent) -> dict[str, Any] | None:
        attempt, product = self._attempts.get(event.subject), self._products.get(event.product)
        return self._views.for_server(attempt, product) if attempt and product else None


def body_of(event: RecordedEvent, data: dict[str, Any]) -> str:
    """Serialize an event with ``data`` as the JSON text that is signed and sent."""
    document = {
        "id": event.id,
        "type": event.type,
        "created_at": event.at.isoformat(),
        "product": event.product,
        "data": data,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
