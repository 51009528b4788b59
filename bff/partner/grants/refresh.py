"""Access tokens that last: refreshed once, near their end, however many callers and processes ask."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Row, or_, select, update

from bff.partner import clock
from bff.partner.api import properties
from bff.partner.audit import audit
from bff.partner.context import Embedded
from bff.partner.grants import noting, revocation, standing
from bff.partner.grants.credentials import seal, unseal
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.provider import Client, Credentials, ProviderFailed
from bff.partner.sign_in import flows
from bff.partner.storage import account_connector_store as store
from bff.partner.storage import tables
from bff.serving.logs import about

AHEAD: Final = timedelta(seconds=60)
"""A token that ends sooner is refreshed."""
LEASE: Final = timedelta(seconds=30)
"""Longer than a call may take: whoever holds it longer has died, and the next one tries."""
WAIT_SECONDS: Final = 25.0
POLL_SECONDS: Final = 0.05
FIRST_COOL_DOWN, LONGEST_COOL_DOWN = timedelta(seconds=5), timedelta(minutes=5)
SPENT: Final = "invalid_grant"

log = structlog.get_logger("hitchpost.embedded")


class NeedsSignIn(Exception):
    """There is nothing to get an access token with: the user has to sign in again."""


class Unavailable(Exception):
    """No access token just now, but the connection stands. ``retry_after`` is in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("the third party gives no access token just now")
        self.retry_after = retry_after


def usable(service: Embedded, account_id: str, account_connector_id: int) -> Credentials:
    """Credentials whose access token can be used now. Raises ``NeedsSignIn``, ``Unavailable`` or 404.

    Of any number of callers, in any number of processes, one asks the third party; the others wait for what
    it stores. A refresh that fails changes nothing while the kept token is good.
    """
    ends = time.monotonic() + WAIT_SECONDS
    while True:
        with service.database.reading() as connection:
            row = store.find(connection, account_id, account_connector_id)
        kept, now = _opened(service, row), clock.now()
        if not _is_due(service, row, kept, now):
            return kept
        if (wait := _cooling(row, now)) is not None:
            return _still_good(kept, now, wait)
        if (lease := _take_lease(service, row.id)) is not None:
            _refresh(service, row, kept, lease)
        elif time.monotonic() > ends:
            return _still_good(kept, now, 1.0)
        else:
            time.sleep(POLL_SECONDS)  # house-allow: sleep: the condition is another process's


def _opened(service: Embedded, row: Row[Any]) -> Credentials:
    if not row.authenticated or row.credentials is None:
        raise NeedsSignIn
    return unseal(service.vault, row.credentials, store.sealed_in(row, "credentials"))


def _is_due(service: Embedded, row: Row[Any], kept: Credentials, now: datetime) -> bool:
    item = service.catalogue.by_id(row.connector_id)
    renewable = kept.refresh_token is not None or (item is not None and item.grant == "client_credentials")
    # One that cannot be renewed is used to its very end.
    return kept.expires_at is not None and kept.expires_at < now + (AHEAD if renewable else timedelta(0))


def _cooling(row: Row[Any], now: datetime) -> float | None:
    if row.refresh_not_before is None or row.refresh_not_before <= now:
        return None
    return float((row.refresh_not_before - now).total_seconds())


def _still_good(kept: Credentials, now: datetime, retry_after: float) -> Credentials:
    if kept.expires_at is not None and kept.expires_at <= now:
        raise Unavailable(retry_after)
    return kept


def _take_lease(service: Embedded, account_connector_id: int) -> datetime | None:
    """The end of a lease that is now this caller's, or None while there is another or no need any more."""
    table, now = tables.account_connector, clock.now()
    free = (
        (table.c.id == account_connector_id)
        & or_(table.c.refresh_lease_ends.is_(None), table.c.refresh_lease_ends < now)
        & or_(table.c.refresh_not_before.is_(None), table.c.refresh_not_before <= now)
    )
    with service.database.writing() as connection:
        taken = update(table).where(free).values(refresh_lease_ends=now + LEASE).returning(table)
        row = connection.execute(taken).one_or_none()
        if row is None:
            return None
        # Looked at again: another may have refreshed between our reading and our taking the lease.
        if row.credentials is not None and _is_due(service, row, _opened(service, row), now):
            return now + LEASE
        _set(connection, row.id, refresh_lease_ends=None)
        return None


def _refresh(service: Embedded, row: Row[Any], kept: Credentials, lease: datetime) -> None:
    try:
        new = _asked(service, row, kept)
        _store(service, row, kept, new)
    except ProviderFailed as failure:
        _failed(service, row, kept, lease, failure.error)
    except Exception as error:  # noqa: BLE001  # whatever it is, the next caller is not to wait for the lease
        log.error("unforeseen error", **about(error))  # noqa: TRY400  # a trace would hold the tokens
        _failed(service, row, kept, lease, revocation.UNFORESEEN)


def _asked(service: Embedded, row: Row[Any], kept: Credentials) -> Credentials:
    item = service.catalogue.by_id(row.connector_id)
    if item is None:
        raise ProviderFailed("not_in_catalogue")
    with service.database.reading() as connection:
        client = flows.client_of(item, properties.values_of(service, connection, row.id))
    new = _answered(service, item, client, kept)
    return replace(new, refresh_token=new.refresh_token or kept.refresh_token, scope=new.scope or kept.scope)


def _answered(service: Embedded, item: CatalogueConnector, client: Client, kept: Credentials) -> Credentials:
    if item.grant == "client_credentials":
        return service.provider.client_credentials(item, client)
    if kept.refresh_token is None:
        raise ProviderFailed(SPENT)
    return service.provider.refresh(item, client, kept.refresh_token)


def _store(service: Embedded, row: Row[Any], kept: Credentials, new: Credentials) -> None:
    """Commit what came, before anybody uses it.

    It replaces exactly what it was got with. A user who signed in again meanwhile has brought a newer grant,
    one who disconnected wants none: either way this one is revoked.
    """
    noted = None
    with service.database.writing() as connection:
        current = _locked(connection, row.id)
        if current is not None and current.credentials is not None and _opened(service, current) == kept:
            sealed = seal(service.vault, new, store.sealed_in(row, "credentials"))
            values = {"credentials": sealed, "refresh_not_before": None, "refresh_failures": 0}
            values["grant_sha256"] = standing.fingerprint(new)
            _set(connection, row.id, refresh_lease_ends=None, **values)
        else:
            noted = noting.throw_away(service, connection, noting.owner_of(row), new)
    revocation.revoke_now(service, noted)


def _failed(service: Embedded, row: Row[Any], kept: Credentials, lease: datetime, error: str) -> None:
    log.warning("refresh failed", account_connector=row.id, error=error)
    audit("refresh failed", account=row.account_id, account_connector=row.id, error=error)
    with service.database.writing() as connection:
        current = _locked(connection, row.id)
        if current is None or current.credentials is None or _opened(service, current) != kept:
            return
        if error == SPENT:
            # Nothing will ever come of it: the next attempt would be as vain, and look like an attack.
            # Revoked all the same: of a token that was spent the third party may keep the successor.
            noting.throw_away(service, connection, noting.owner_of(current), kept)
            values = {"authenticated": False, "credentials": None, "grant_sha256": None}
            _set(connection, row.id, refresh_lease_ends=None, **values)
        elif current.refresh_lease_ends == lease:
            longest = min(FIRST_COOL_DOWN * 2 ** min(current.refresh_failures, 16), LONGEST_COOL_DOWN)
            cool = longest * random.uniform(0.5, 1.0)  # noqa: S311  # nosec B311  # spreads callers
            values = {"refresh_not_before": clock.now() + cool, "refresh_lease_ends": None}
            _set(connection, row.id, refresh_failures=current.refresh_failures + 1, **values)


def _locked(connection: Connection, account_connector_id: int) -> Row[Any] | None:
    # SQLite's writers are alone anyway.
    table = tables.account_connector
    wanted = select(table).where(table.c.id == account_connector_id)
    return connection.execute(wanted.with_for_update()).one_or_none()


def _set(connection: Connection, account_connector_id: int, **values: Any) -> None:
    table = tables.account_connector
    connection.execute(update(table).where(table.c.id == account_connector_id).values(values))
