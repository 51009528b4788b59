"""Stores what a refresh brought, so that nothing of it is lost.

Many third parties accept a refresh token only once. What a refresh brought is then the only way to the grant:
it is stored, or else revoked.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Row

from bff.partner import clock
from bff.partner.account_connectors import carried_over, state, store
from bff.partner.account_connectors.client import may_be_same
from bff.partner.account_connectors.credentials import seal, unseal
from bff.partner.audit import audit
from bff.partner.context import Embedded
from bff.partner.grants import grants_in_use, noting, refresh_failures, revocation
from bff.partner.providers.credentials import Credentials
from bff.serving.logs import about

WAITS: Final = (0.1, 0.4, 1.0, 2.0)
"""Seconds between the tries to store. A database that fails over, or is locked, is often back within them."""

log = structlog.get_logger("hitchpost.embedded")


def keep(service: Embedded, row: Row[Any], stored: Credentials, new: Credentials, lease: datetime) -> None:
    """Connect with the refreshed credentials, before any caller uses them.

    They only replace the credentials that were refreshed (``stored``). If the user has signed in again in the
    meantime and the grant still has the same refresh token, only the new refresh token is stored. If it has
    another one, or the user has disconnected, the new credentials are revoked instead. So they are if the
    database does not store them while the lease lasts: then its error is raised.
    """
    values = {
        "refresh_not_before": None,
        "refresh_failures": 0,
        "refresh_lease_ends": None,
        "authenticated": True,
        "grant_reason": None,
    }
    _store_or_revoke(service, row, stored, new, lease, values)


def keep_refused(
    service: Embedded, row: Row[Any], stored: Credentials, refused: Credentials | None, lease: datetime
) -> Credentials:
    """Store the new refresh token of a response whose access token cannot be used (``refused``).

    The next refresh needs it. Returns the credentials that are stored now. Raises errors as ``keep`` does.
    """
    if refused is not None and not (refused.refresh_token or stored.refresh_token):
        # Where a refresh token remains, revoking an access token could end the grant (RFC 7009, section 2.1).
        revocation.let_go(service, noting.owner_of(row), refused, now=False)
    if refused is None or refused.refresh_token in {None, stored.refresh_token}:
        return stored
    times = carried_over.grant_times(stored, refused)
    kept = replace(stored, refresh_token=refused.refresh_token, client=refused.client, **times)
    _store_or_revoke(service, row, stored, kept, lease, {})
    return kept


def _store_or_revoke(
    service: Embedded,
    row: Row[Any],
    stored: Credentials,
    new: Credentials,
    lease: datetime,
    values: Mapping[str, Any],
) -> None:
    for wait in (*WAITS, None):
        try:
            revocation_id = _store(service, row, stored, new, values)
            break
        except Exception as error:
            log.warning("refreshed credentials cannot be stored", account_connector=row.id, **about(error))
            if wait is None or clock.now() + timedelta(seconds=wait) >= lease:
                # Without rotation, the stored grant is the same one, and still works.
                if grants_in_use.token_of(new) != grants_in_use.token_of(stored):
                    revocation.let_go(service, noting.owner_of(row), new, now=True)
                raise
            time.sleep(wait)  # house-allow: sleep: the database tells nobody when it is back
    revocation.revoke_now(service, revocation_id)


def _store(
    service: Embedded, row: Row[Any], stored: Credentials, new: Credentials, values: Mapping[str, Any]
) -> str | None:
    """Store what ``new`` brought, else its pending revocation. Returns the latter's id."""
    context = store.sealed_in(row, "credentials")
    with service.database.writing() as connection:
        current = refresh_failures.locked(connection, row.id)
        kept = None
        if current is not None and current.credentials is not None:
            kept = _merged(unseal(service.vault, current.credentials, context), stored, new)
        if current is None or kept is None:
            return noting.throw_away(service, connection, noting.owner_of(row), new)
        changed = {
            "credentials": seal(service.vault, kept, context),
            "grant_sha256": grants_in_use.fingerprint(kept),
            "next_refresh_at": state.next_look(service.catalogue.by_id(row.connector_id), kept),
        }
        refresh_failures.put(connection, row.id, **changed, **values)
    if values.get("authenticated") and current.grant_reason:
        audit("grant works again", account=row.account_id, account_connector=row.id)
    return None


def _merged(current: Credentials, stored: Credentials, new: Credentials) -> Credentials | None:
    """What to store in place of ``current`` after a refresh of ``stored``. None if ``new`` is not needed.

    A sign-in during the refresh may have brought no refresh token, or the same one again. The refresh has
    then replaced that token for the new grant too. The access token of the sign-in stays: it has the scopes
    of the latest consent.
    """
    if current == stored:
        return new
    in_use = grants_in_use.token_of(current)
    is_same_grant = current.refresh_token is not None and in_use == grants_in_use.token_of(stored)
    if not is_same_grant or not may_be_same(current.client, new.client):
        return None
    if in_use == grants_in_use.token_of(new):
        return current
    return replace(
        current,
        refresh_token=new.refresh_token,
        grant_obtained_at=new.grant_obtained_at,
        grant_ends_at=new.grant_ends_at,
    )
