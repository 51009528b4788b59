"""API keys and passwords that are looked at although nobody asks, by the ``check`` of their catalogue entry.

About once a day each. Only what plainly refuses them counts: a third party that is busy, away or changed says
nothing of a key. What was typed is kept, so that a connection heals should the third party take it again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Row

from bff.partner.account_connectors import properties, state, store
from bff.partner.audit import audit
from bff.partner.context import Embedded
from bff.partner.grants import key_check, refresh_failures
from bff.partner.providers import refusals, templates, transport
from bff.partner.providers.catalogue import CatalogueConnector

Verdict = Literal["good", "revoked", "refused", "unknown"]

SOONEST: Final = timedelta(hours=1)
"""After an answer that is not a good one it is tried again, each time twice as late, up to a day."""
MOST_REFUSALS: Final = 36
"""So many refusals in a row, about a month of them, and the third party is not asked again."""
TRIES: Final = 2
"""A key counts as refused only if it is refused so many times in one look."""
_REFUSALS: Final[dict[int, Verdict]] = {401: "revoked", 403: "refused"}


def is_tried(item: CatalogueConnector) -> bool:
    """Whether what the user typed for this connector can be tried again."""
    return item.check is not None and item.auth != "oauth2" and not item.needs_no_user


def look_at(service: Embedded, row: Row[Any], item: CatalogueConnector) -> None:
    """Try the key of an account connector, and note what that says of it. Raises ``CannotOpen``."""
    with service.database.reading() as connection:
        found = properties.values_of(service, connection, row.id)
    sealed = row.auth_value
    auth_value = sealed and service.vault.open(sealed, store.sealed_in(row, "auth_value"))
    _note(service, row, _tried(service, item, found, auth_value))


def _tried(
    service: Embedded, item: CatalogueConnector, found: dict[str, str], auth_value: str | None
) -> Verdict:
    verdict: Verdict = "unknown"
    try:
        values = key_check.values_of(item, found, auth_value)
        for _ in range(TRIES):
            reply = key_check.ask(service, item, values)
            verdict = _verdict(item, reply)
            if verdict not in _REFUSALS.values():
                return verdict
    except (key_check.Unreadable, templates.Unfit, transport.NoReply):
        return "unknown"
    return verdict


def _verdict(item: CatalogueConnector, reply: transport.Reply) -> Verdict:
    if reply.status in _REFUSALS:
        return "unknown" if reply.asks_less else _REFUSALS[reply.status]
    if not 200 <= reply.status < 300:
        return "unknown"
    error = key_check.error_of(item, reply)
    if error is None:
        return "good"
    # Some tell troubles that pass in the same way.
    return "revoked" if refusals.is_dead(item, error, "") else "unknown"


def _note(service: Embedded, row: Row[Any], verdict: Verdict) -> None:
    """Write it down, unless somebody has typed another key or disconnected meanwhile."""
    with service.database.writing() as connection:
        current = refresh_failures.locked(connection, row.id)
        if current is None or _typed(current) != _typed(row):
            return
        failures = 0 if verdict == "good" else current.refresh_failures + 1
        values: dict[str, Any] = {"refresh_failures": failures, "next_refresh_at": _next(verdict, failures)}
        if verdict == "good":
            values |= {"authenticated": True, "grant_reason": None}
        elif verdict != "unknown":
            values |= {"authenticated": False, "grant_reason": verdict}
        refresh_failures.put(connection, row.id, **values)
    _tell(row, verdict)


def _next(verdict: Verdict, failures: int) -> datetime | None:
    if verdict == "good":
        return state.tomorrow()
    if verdict != "unknown" and failures > MOST_REFUSALS:
        return None
    return state.later(min(SOONEST * 2 ** min(failures - 1, 16), state.DAILY))


def _tell(row: Row[Any], verdict: Verdict) -> None:
    told = {"account": row.account_id, "account_connector": row.id}
    if verdict == "good" and row.grant_reason is not None:
        audit("grant works again", **told)
    elif verdict in _REFUSALS.values() and row.grant_reason is None:
        audit("grant ended", **told, reason=verdict)


def _typed(row: Row[Any]) -> tuple[str | None, datetime | None]:
    """What tells two keys of one account connector apart, without opening them."""
    return row.auth_value, row.authenticated_at


def first_look(item: CatalogueConnector | None) -> datetime | None:
    """When a key that was just typed is looked at first; None where nothing says how."""
    return state.tomorrow() if item is not None and is_tried(item) else None
