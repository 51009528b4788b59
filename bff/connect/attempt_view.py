"""The JSON of an attempt: for its page, for the host's server, and in events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bff.connect.attempt import LIVE, Attempt, Delivery, Hint, Status
from bff.connect.ports import ReceiptSigner
from bff.content.product import Product
from bff.content.words import Words


class AttemptViews:
    """Makes the JSON of attempts. ``partner_origin``: where the partner service's messages come from."""

    def __init__(self, receipts: ReceiptSigner, partner_origin: str) -> None:
        self._receipts = receipts
        self._partner_origin = partner_origin

    def for_page(
        self, attempt: Attempt, product: Product, hint: Hint | None, languages: Sequence[str]
    ) -> dict[str, Any]:
        """The JSON for the page that began the attempt, with the ``result`` of a connected one.

        ``languages``: those of its user, for the error; the first that has words counts.
        ``unsent`` is the callback message that the widget has to dispatch itself. It is None for a
        sealed message. It is also None with ``Hint.MESSAGE``, because the page received the message from the
        popup, except where the delivery is by return.
        """
        shared = self._shared(attempt, product, languages)
        if attempt.status is not Status.CONNECTED:
            interrupted = hint is Hint.TROUBLE and attempt.status in LIVE
            return (
                shared | {"result": None, "unsent": None} | ({"step": "interrupted"} if interrupted else {})
            )
        received = hint is Hint.MESSAGE and attempt.delivery is not Delivery.RETURN
        result = {
            "status": shared["status"],
            "attempt": attempt.id,
            # The API's word for a read without a hint.
            "channel": hint.value if hint else "poll",
            "supportCode": attempt.support_code,
            **{
                name: shared[name] for name in ("connector", "connection", "message", "attributed", "receipt")
            },
        }
        return shared | {"result": result, "unsent": None if received else self._unsent(attempt)}

    def for_server(self, attempt: Attempt, product: Product) -> dict[str, Any]:
        """The JSON for the host's server, with the account and the user that it belongs to."""
        settled_at = attempt.settled_at.isoformat() if attempt.settled_at else None
        server_only = {"account": attempt.account.id, "user": attempt.user.id, "settled_at": settled_at}
        unsent = self._unsent(attempt) if attempt.delivery is Delivery.RETURN else None
        return self._shared(attempt, product, [attempt.locale]) | server_only | {"unsent": unsent}

    def _shared(self, attempt: Attempt, product: Product, languages: Sequence[str]) -> dict[str, Any]:
        return {
            "id": attempt.id,
            "status": attempt.status.value,
            "connector": attempt.connector.key,
            "message": attempt.message,
            "connection": _connection(attempt),
            "attributed": attempt.attributed is True if attempt.status is Status.CONNECTED else None,
            "error": _error(attempt, product, languages),
            "support_code": attempt.support_code,
            "receipt": self._receipts.sign(attempt),
            "late_success": _late_success(attempt),
            "created_at": attempt.created_at.isoformat(),
            "expires_at": attempt.expires_at.isoformat(),
        }

    def _unsent(self, attempt: Attempt) -> dict[str, str] | None:
        """The callback message of a connected attempt; None if it is sealed.

        The nonce of a sealed message shows that the partner service posted it.
        """
        if attempt.status is not Status.CONNECTED or attempt.callback_message != attempt.message:
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


def _error(attempt: Attempt, product: Product, languages: Sequence[str]) -> dict[str, str] | None:
    if attempt.error_code is None:
        return None
    words = Words(product, languages, attempt.connector.key)
    title, next_step = words.error(
        attempt.error_code,
        connector_name=attempt.connector.name,
        product_name=product.name,
        account=attempt.connected_account or "",
        other_account=attempt.external_account or "",
    )
    return {"code": attempt.error_code, "title": title, "next_step": next_step}
