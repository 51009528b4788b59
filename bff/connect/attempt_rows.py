"""Maps attempts to database rows and back."""

from __future__ import annotations

from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Row

from bff.connect.attempt import Attempt, Delivery, Status
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef, User
from bff.storage.tables import attempts

_COPIED: Final = (
    "id", "support_code", "product", "message", "callback_message", "locale", "origin", "return_url",
    "launch_token_sha256", "created_at", "expires_at", "launched_at", "minted_at", "sign_in_token_sha256",
    "account_connector_id", "authenticated_before", "return_secret_sha256", "browser_sha256", "returned_at",
    "return_error", "confirmed_at", "attributed", "seemed_over_at",
    "hinted_at", "polled_at", "polls", "settled_at", "error_code", "external_account",
    "connected_account", "late_success_at", "third_party_error", "idempotency_sha256", "request_sha256",
    "wanted_connection", "adds_connection",
)  # fmt: skip
_CONVERTED: Final = (
    "account_id", "account_name", "user_id", "user_name", "user_email",
    "connector_key", "connector_name", "connector_reference", "status", "delivery",
)  # fmt: skip
COLUMNS: Final = (*_COPIED, *_CONVERTED)
# Read by position: looking up so many columns by name is slow.
_column_names: Final = attempts.c.keys()
_copied_values: Final = itemgetter(*map(_column_names.index, _COPIED))
_event_values: Final = itemgetter(*map(_column_names.index, ("id", "product", "account_id")))
_converted_values: Final = itemgetter(*map(_column_names.index, _CONVERTED))


def to_row(attempt: Attempt) -> dict[str, Any]:
    """The column values of an attempt."""
    copied = {name: getattr(attempt, name) for name in _COPIED}
    return copied | {
        "status": attempt.status.value,
        "delivery": attempt.delivery.value,
        "account_id": attempt.account.id,
        "account_name": attempt.account.name,
        "user_id": attempt.user.id,
        "user_name": attempt.user.name,
        "user_email": attempt.user.email,
        "connector_key": attempt.connector.key,
        "connector_name": attempt.connector.name,
        "connector_reference": attempt.connector.reference,
    }


def from_row(row: Row[Any] | tuple[Any, ...]) -> Attempt:
    """The attempt that a row holds."""
    (
        account, name, user, user_name, email, key, connector, reference, status, delivery
    ) = _converted_values(row)  # fmt: skip
    copied = dict(zip(_COPIED, _copied_values(row), strict=True))
    return Attempt(
        **copied,
        status=Status(status),
        delivery=Delivery(delivery),
        account=AccountRef(account, name, copied["product"]),
        user=User(user, user_name, email),
        connector=OfferedConnector(key, connector, reference),
    )


def event_subject(row: tuple[Any, ...]) -> tuple[str, str, str]:
    """What an event is about: the id of the row's attempt, its product, the id of its account."""
    attempt_id, product, account = _event_values(row)
    return attempt_id, product, account


def from_row_or_none(row: tuple[Any, ...] | None) -> Attempt | None:
    """``from_row``, or None for no row."""
    return from_row(row) if row else None
