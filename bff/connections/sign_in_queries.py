"""Queries for the sign-ins of an account: those of attempts, and of the host's sign-in URLs."""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, bindparam, case, func, or_, select, union_all

from bff.connect.attempt import Status
from bff.storage.tables import IS_LAUNCHED, UtcDateTime, attempts, sign_in_urls

_attempt, _url = attempts.c, sign_in_urls.c
RUNNING: Final = select(
    _attempt.id, _attempt.connector_key, _attempt.account_connector_id, _attempt.wanted_connection
).where(
    IS_LAUNCHED,
    _attempt.product == bindparam("of"),
    _attempt.account_id == bindparam("account"),
    _attempt.expires_at > bindparam("now"),
)
"""The launched attempts of an account (``of``: its product)."""
_OVER_AT: Final = func.coalesce(
    case((and_(_attempt.status == Status.CONNECTED.value, _attempt.attributed), _attempt.settled_at)),
    _attempt.late_success_at,
    _attempt.returned_at,
)
"""When the sign-in of an attempt succeeded, or the browser came back from it. NULL while it may be open."""
OPEN: Final = union_all(
    select(_attempt.minted_at).where(
        _attempt.account_connector_id == bindparam("account_connector_id"),
        _attempt.minted_at >= bindparam("since"),
        _attempt.return_error.is_(None),
        or_(_OVER_AT.is_(None), bindparam("at", type_=UtcDateTime) < _OVER_AT),
    ),
    select(_url.minted_at).where(
        _url.account_connector_id == bindparam("account_connector_id"), _url.minted_at >= bindparam("since")
    ),
)
"""When the sign-ins to an account connector were minted that could still succeed after ``at``."""
FRESH: Final = union_all(
    *(
        select(table.minted_at).where(
            table.account_connector_id == bindparam("account_connector_id"),
            table.minted_at >= bindparam("since"),
            table.authenticated_before.is_(False),
        )
        for table in (_attempt, _url)
    )
)
"""When those were minted that found it unconnected."""
