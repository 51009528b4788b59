"""Handles failed refreshes: the grant ends, is retried after a delay, or is marked as refused."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Row, select, update

from bff.partner import clock
from bff.partner.account_connectors import store
from bff.partner.account_connectors.credentials import unseal
from bff.partner.account_connectors.state import Reason
from bff.partner.audit import audit
from bff.partner.context import Embedded
from bff.partner.grants import noting
from bff.partner.providers import refusals
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Credentials
from bff.partner.providers.provider import ProviderFailed
from bff.partner.providers.said import Said
from bff.partner.storage import tables

FIRST_COOL_DOWN, LONGEST_COOL_DOWN = timedelta(seconds=5), timedelta(minutes=5)
MOST_REFUSALS: Final = 2
"""The grant is marked as refused after this number of definite rejections in a row."""
MOST_VAGUE_REFUSALS: Final = 6
"""The same for rejections of the client and for requests that cannot be built, which the operator can
correct, and for those without an error or with a status for something else. It takes about two minutes."""
MOST_UNCLEAR: Final = 288
"""The same for failures in a row that end with an unclear response. It takes about a day."""
LONGEST_ASKED: Final = timedelta(minutes=10)
"""Longest wait that a third party may ask for. Some give wrong times, and its users would wait as long."""
REFUSED_WAITS: Final = timedelta(hours=1)
"""Interval at which a refused grant is retried, because the third party may accept it again."""

log = structlog.get_logger("hitchpost.embedded")


def note(
    service: Embedded,
    row: Row[Any],
    stored: Credentials,
    lease: datetime,
    failure: ProviderFailed,
    *,
    rejected: bool = False,
) -> None:
    """Store a failed refresh, unless the user has signed in again or disconnected in the meantime.

    ``rejected``: the third party rejects the stored access token, although it may not have expired.
    """
    item, answer = service.catalogue.by_id(row.connector_id), failure.said
    description = (answer and answer.description) or ""
    fields = {"account_connector": row.id, "error": failure.error, "description": description}
    log.warning("refresh failed", **fields)
    audit("refresh failed", account=row.account_id, account_connector=row.id, error=failure.error)
    verdict = refusals.verdict_of(item, failure.error, answer)
    if verdict == "dead":
        expired = refusals.has_expired(failure.error, description)
        end(service, row, stored, "expired" if expired else "revoked")
    with service.database.writing() as connection:
        current = locked(connection, row.id)
        if current is None or current.refresh_lease_ends != lease:
            return
        if not _is_current(service, current, stored):
            # A sign-in that needs the same refresh token has left the lease to this refresh.
            put(connection, row.id, refresh_lease_ends=None)
            return
        counted = _counted(current, verdict)
        usable = not rejected and stored.expires_at is not None and stored.expires_at > clock.now()
        if not usable and _is_refused(verdict, counted, _patience(item, failure, stored)):
            _refuse(connection, current, counted)
        else:
            _cool_down(connection, current, counted, _not_before(answer, stored))


def end(service: Embedded, row: Row[Any], stored: Credentials, reason: Reason) -> None:
    """Mark the grant as ended, so that the user has to sign in again, and delete its credentials.

    The grant is still revoked. If its refresh token was already used, the third party may have issued a
    successor that nobody received.
    """
    with service.database.writing() as connection:
        current = locked(connection, row.id)
        if current is None or not _is_current(service, current, stored):
            return
        noting.throw_away(service, connection, noting.owner_of(current), stored)
        cleared = {"credentials": None, "grant_sha256": None, "refresh_lease_ends": None}
        values = {"authenticated": False, "grant_reason": reason, "next_refresh_at": None, **cleared}
        put(connection, row.id, **values)
    audit("grant ended", account=row.account_id, account_connector=row.id, reason=reason)


def locked(connection: Connection, account_connector_id: int) -> Row[Any] | None:
    """Read and lock the account connector; None if it was deleted. SQLite has a single writer anyway."""
    table = tables.account_connector
    wanted = select(table).where(table.c.id == account_connector_id)
    return connection.execute(wanted.with_for_update()).one_or_none()


def put(connection: Connection, account_connector_id: int, **values: Any) -> None:
    """Update columns of the account connector."""
    table = tables.account_connector
    connection.execute(update(table).where(table.c.id == account_connector_id).values(values))


def _is_current(service: Embedded, row: Row[Any], stored: Credentials) -> bool:
    if row.credentials is None:
        return False
    return unseal(service.vault, row.credentials, store.sealed_in(row, "credentials")) == stored


def _counted(row: Row[Any], verdict: refusals.Verdict) -> dict[str, int]:
    """The failures in a row with this one, and the rejections in a row."""
    # Whatever ends a row of failures resets their number only.
    before = row.refresh_refusals if row.refresh_failures else 0
    refused = before + 1 if verdict == "refused" else 0
    return {"refresh_failures": row.refresh_failures + 1, "refresh_refusals": refused}


def _is_refused(verdict: refusals.Verdict, counted: dict[str, int], patience: int) -> bool:
    if verdict == "unclear":
        return counted["refresh_failures"] >= MOST_UNCLEAR
    return verdict == "refused" and counted["refresh_refusals"] >= patience


def _patience(item: CatalogueConnector | None, failure: ProviderFailed, stored: Credentials) -> int:
    """The number of rejections after which a grant is refused.

    If the account uses an app of its own, the operator cannot correct the client.
    """
    own_app = item is not None and stored.client is not None and stored.client.id != item.client_id
    answer = failure.said
    is_vague = answer is not None and not refusals.is_definite(answer)
    of_client = refusals.is_client_error(failure.error) and not own_app
    return MOST_VAGUE_REFUSALS if is_vague or of_client else MOST_REFUSALS


def _refuse(connection: Connection, row: Row[Any], counted: dict[str, int]) -> None:
    """Mark the grant as refused. Its credentials stay stored, so that a later retry can restore it."""
    retry_at = clock.now() + REFUSED_WAITS
    values = {**counted, "refresh_not_before": retry_at, "next_refresh_at": retry_at}
    reason = row.grant_reason or "refused"
    put(connection, row.id, authenticated=False, grant_reason=reason, refresh_lease_ends=None, **values)
    if row.grant_reason is None:
        audit("grant refused", account=row.account_id, account_connector=row.id)


def _not_before(answer: Said | None, stored: Credentials) -> datetime | None:
    """When the third party wants the next refresh at the earliest; None if it does not tell."""
    if answer is None:
        return None
    now = clock.now()
    asked = stored.expires_at if refusals.is_too_early(answer) else None
    if asked is None and answer.retry_after is not None:
        asked = now + timedelta(seconds=answer.retry_after)
    return asked and min(asked, now + LONGEST_ASKED)


def _cool_down(
    connection: Connection, row: Row[Any], counted: dict[str, int], not_before: datetime | None
) -> None:
    """Delay the next refresh, at least until ``not_before``."""
    longest = min(FIRST_COOL_DOWN * 2 ** min(counted["refresh_failures"] - 1, 16), LONGEST_COOL_DOWN)
    delay = longest * random.uniform(0.5, 1.0)  # noqa: S311  # spreads callers
    if row.grant_reason is not None:
        delay = REFUSED_WAITS
    retry_at = clock.now() + delay
    if not_before is not None:
        retry_at = max(retry_at, not_before)
    values = {**counted, "refresh_not_before": retry_at, "next_refresh_at": retry_at}
    put(connection, row.id, refresh_lease_ends=None, **values)
