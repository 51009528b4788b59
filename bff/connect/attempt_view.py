"""An attempt as others see it: its page, its host's server, and the events that tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bff.connect.attempt import Attempt, Delivery, Status
from bff.connect.ports import ReceiptSigner
from bff.content.product import Product
from bff.content.words import Words


class AttemptViews:
    """Makes the JSON of attempts. ``partner_origin``: where the partner service's messages come from."""

    def __init__(self, receipts: ReceiptSigner, partner_origin: str) -> None:
        self._receipts = receipts
        self._partner_origin = partner_origin

    def for_page(self, attempt: Attempt, product: Product) -> dict[str, Any]:
        """What its own page is told."""
        return {
            "id": attempt.id,
            "status": attempt.status.value,
            "connector": attempt.connector.key,
            "message": attempt.message,
            "connection": _connection(attempt),
            "attributed": attempt.attributed is True if attempt.status is Status.CONNECTED else None,
            "error": _error(attempt, product),
            "support_code": attempt.support_code,
            "receipt": self._receipts.sign(attempt),
            "late_success": _late_success(attempt),
            "unsent": self._unsent(attempt),
            "created_at": attempt.created_at.isoformat(),
            "expires_at": attempt.expires_at.isoformat(),
        }

    def for_server(self, attempt: Attempt, product: Product) -> dict[str, Any]:
        """The same, with whose it is, for a server that did not begin it."""
        settled_at = attempt.settled_at.isoformat() if attempt.settled_at else None
        who = {"account": attempt.account.id, "user": attempt.user.id, "settled_at": settled_at}
        return self.for_page(attempt, product) | who

    def _unsent(self, attempt: Attempt) -> dict[str, str] | None:
        """The plain message that the partner service would have posted, had the flow not come back."""
        plain = attempt.callback_message == attempt.message
        if attempt.status is not Status.CONNECTED or attempt.delivery is not Delivery.RETURN or not plain:
            return None
        return {"data": attempt.callback_message, "origin": self._partner_origin}


def _late_success(attempt: Attempt) -> Mapping[str, Any] | None:
    if attempt.late_success_at is None:
        return None
    return {"at": attempt.late_success_at.isoformat(), "external_account": attempt.external_account}


def _connection(attempt: Attempt) -> dict[str, Any] | None:
    if attempt.status is not Status.CONNECTED:
        return None
    return {
        "id": str(attempt.account_connector_id),
        "connector": attempt.connector.key,
        "external_account": attempt.external_account,
    }


def _error(attempt: Attempt, product: Product) -> dict[str, str] | None:
    if attempt.error_code is None:
        return None
    own = Words(product, [attempt.locale], attempt.connector.key)
    title, next_step = own.error(
        attempt.error_code,
        connector_name=attempt.connector.name,
        product_name=product.name,
        account=attempt.connected_account or "",
        other_account=attempt.external_account or "",
    )
    return {"code": attempt.error_code, "title": title, "next_step": next_step}
