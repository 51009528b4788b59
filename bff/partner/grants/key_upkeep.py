"""Checks API keys and passwords in the background, with the ``check`` request of their catalogue entry.

Each is checked about once a day. A definite rejection marks it as invalid at once, a rejection that does not
say why after three days. Rate limits, outages and unexpected responses do not. The credentials stay stored,
so the connection recovers if they are accepted again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Row

from bff.partner import clock
from bff.partner.account_connectors import properties, state, store
from bff.partner.audit import audit
from bff.partner.context import Embedded
from bff.partner.grants import key_check, refresh_failures
from bff.partner.providers import dead_credentials, said, templates, transport
from bff.partner.providers.answers import is_success, json_of
from bff.partner.providers.catalogue import CatalogueConnector

Verdict = Literal["good", "revoked", "refused", "rejected", "unknown"]
"""``rejected``: the response does not say whether the key is the reason."""

SOONEST: Final = timedelta(hours=1)
"""Delay before the next check after a failed one. It doubles with each failure, up to one day."""
MOST_REFUSALS: Final = 36
"""Checks end after this number of rejections in a row, which takes about a month."""
TRIES: Final = 2
"""Requests per check. The key counts as rejected only if all of them are rejected."""
PATIENCE: Final = timedelta(days=3)
"""How long a key has to be ``rejected`` in a row until it is marked as refused."""
FORBIDDEN: Final = 403
_REFUSALS: Final = frozenset({"revoked", "refused"})
_UNCLEAR: Final = frozenset({400, 402, 404, 410, 422})
"""Statuses that some third parties send for a deleted key, and that may have other reasons."""


def is_tried(item: CatalogueConnector) -> bool:
    """Whether the catalogue entry has a check for credentials that the user typed."""
    return item.check is not None and item.auth != "oauth2" and not item.needs_no_user


def look_at(service: Embedded, row: Row[Any], item: CatalogueConnector) -> None:
    """Check the key of an account connector and store the result. Raises ``CannotOpen``."""
    with service.database.reading() as connection:
        stored = properties.values_of(service, connection, row.id)
    sealed = row.auth_value
    auth_value = sealed and service.vault.open(sealed, store.sealed_in(row, "auth_value"))
    _store(service, row, _check(service, item, stored, auth_value))


def _check(
    service: Embedded, item: CatalogueConnector, stored: dict[str, str], auth_value: str | None
) -> Verdict:
    verdict: Verdict = "unknown"
    provider = service.provider.in_a_hurry()
    try:
        values = key_check.values_of(item, stored, auth_value)
        for _ in range(TRIES):
            reply = key_check.ask(provider, item, values)
            verdict = _verdict(item, reply)
            if verdict in {"good", "unknown"}:
                return verdict
    except (key_check.Unreadable, templates.Unfit, transport.NoReply):
        return "unknown"
    return verdict


def _verdict(item: CatalogueConnector, reply: transport.Reply) -> Verdict:
    answer = said.of_answer("check", reply.status, json_of(reply), ())
    if is_success(reply.status):
        error = key_check.error_of(item, reply)
        if error is None:
            return "good"
        answer = replace(answer, error=error)
    elif reply.asks_less or key_check.is_busy(reply):
        return "unknown"
    if dead_credentials.is_dead(item, answer):
        return "revoked"
    # A page is a firewall's, or another web site's.
    if key_check.is_page(reply):
        return "unknown"
    if reply.status == FORBIDDEN:
        return "refused"
    # Some report temporary failures in an error of a 2xx response.
    return "rejected" if reply.status in _UNCLEAR else "unknown"


def _store(service: Embedded, row: Row[Any], verdict: Verdict) -> None:
    """Store the result, unless the key was replaced or disconnected during the check."""
    with service.database.writing() as connection:
        current = refresh_failures.locked(connection, row.id)
        if current is None or _key_of(current) != _key_of(row):
            return
        failures = 0 if verdict == "good" else current.refresh_failures + 1
        since = _rejected_since(current) if verdict == "rejected" else None
        if since is not None and since <= clock.now() - PATIENCE:
            verdict = "refused"
        values: dict[str, Any] = {
            "rejected_since": since,
            "refresh_failures": failures,
            "next_refresh_at": _next_check(verdict, failures),
        }
        if verdict == "good":
            values |= {"authenticated": True, "grant_reason": None}
        elif verdict in _REFUSALS:
            values |= {"authenticated": False, "grant_reason": verdict}
        refresh_failures.put(connection, row.id, **values)
    _audit(row, verdict)


def _next_check(verdict: Verdict, failures: int) -> datetime | None:
    if verdict == "good":
        return state.tomorrow()
    if verdict in _REFUSALS and failures > MOST_REFUSALS:
        return None
    return state.later(min(SOONEST * 2 ** min(failures - 1, 16), state.DAILY))


def _audit(row: Row[Any], verdict: Verdict) -> None:
    fields = {"account": row.account_id, "account_connector": row.id}
    if verdict == "good" and row.grant_reason is not None:
        audit("grant works again", **fields)
    elif verdict in _REFUSALS and row.grant_reason is None:
        audit("grant ended", **fields, reason=verdict)


def _rejected_since(row: Row[Any]) -> datetime:
    """Since when the key in use has been rejected in a row: since now, if it was not before."""
    since: datetime | None = row.rejected_since
    of_this_key = since is not None and (row.authenticated_at is None or since >= row.authenticated_at)
    return since if since is not None and of_this_key else clock.now()


def _key_of(row: Row[Any]) -> tuple[str | None, datetime | None]:
    """Identifies the key of an account connector without decrypting it."""
    return row.auth_value, row.authenticated_at


def first_look(item: CatalogueConnector | None) -> datetime | None:
    """When to check a new key for the first time; None if the entry has no check."""
    return state.tomorrow() if item is not None and is_tried(item) else None
