"""Refreshes access tokens shortly before they expire, once for all concurrent callers and processes."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy import Row, select, update

from bff.partner import clock
from bff.partner.account_connectors import carried_over, properties, state, store
from bff.partner.account_connectors.client import client_of, client_of_grant
from bff.partner.account_connectors.credentials import unseal
from bff.partner.context import Embedded
from bff.partner.grants import liveness, refresh_failures, refreshed, revocation
from bff.partner.grants.stored_times import is_ahead, is_not_ahead
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Client, Credentials
from bff.partner.providers.provider import ProviderFailed
from bff.partner.storage import tables
from bff.serving.logs import about

LEASE: Final = timedelta(seconds=30)
"""How long one caller may refresh. Longer than a request can take, so an expired lease has a dead holder."""
LONGEST_WAIT: Final = max(
    refresh_failures.REFUSED_WAITS, refresh_failures.LONGEST_ASKED, refresh_failures.LONGEST_COOL_DOWN
)
"""Longest time until the next refresh. A later time was written by a clock that had jumped ahead."""
WAIT_SECONDS: Final = 8.0
"""How long another caller waits. Shorter than the BFF, which hangs up after ten seconds."""

log = structlog.get_logger("hitchpost.embedded")


class NeedsSignIn(Exception):
    """No access token can be obtained until the user signs in again."""


class Unavailable(Exception):
    """No access token can be obtained for now; the grant has not ended. ``retry_after``: in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("the third party gives no access token just now")
        self.retry_after = retry_after


def usable(
    service: Embedded,
    account_id: str,
    account_connector_id: int,
    *,
    force: bool = False,
    wait: float = WAIT_SECONDS,
) -> Credentials:
    """Return credentials with a valid access token, refreshing them if they are about to expire.

    One of the concurrent callers, in whatever process, refreshes. The others wait for its result, at most
    ``wait`` seconds, and return it however soon it expires. If the refresh fails, the stored token is
    returned until it expires. ``force`` refreshes a token that the third party has rejected, and never
    returns that token.

    Raises ``NeedsSignIn``, ``Unavailable``, ``ApiError`` (404) or ``CannotOpen``.
    """
    deadline, first = time.monotonic() + wait, None
    while True:
        with service.database.reading() as connection:
            row = store.find(connection, account_id, account_connector_id)
        stored, now, item = opened(service, row), clock.now(), service.catalogue.by_id(row.connector_id)
        first = first or stored
        if _has_another_token(stored, first) or not (force or state.is_due(item, stored, now)):
            return stored
        if not state.is_renewable(item, stored):
            return _check_unrenewable(service, row, item, stored)
        if (pause := _seconds_until_retry(row, now)) is not None:
            return _still_valid(stored, now, pause, refused=force)
        if (lease := take_lease(service, row, stored)) is not None:
            refresh(service, row, stored, lease, rejected=force)
        elif (left := deadline - time.monotonic()) <= 0:
            return _still_valid(stored, now, 1.0, refused=force)
        else:
            service.refreshes.wait(row.id, partial(_is_over, service, row.id), left)


def _is_over(service: Embedded, account_connector_id: int) -> bool:
    """Whether nobody is refreshing this account connector now."""
    table = tables.account_connector
    wanted = select(table.c.refresh_lease_ends).where(table.c.id == account_connector_id)
    with service.database.reading() as connection:
        lease_ends: datetime | None = connection.execute(wanted).scalar()
    return not is_ahead(lease_ends, clock.now(), LEASE)


def opened(service: Embedded, row: Row[Any]) -> Credentials:
    """Decrypt the credentials of an account connector. Raises ``NeedsSignIn``, ``CannotOpen``."""
    if not row.authenticated or row.credentials is None:
        raise NeedsSignIn
    return unseal(service.vault, row.credentials, store.sealed_in(row, "credentials"))


def take_lease(service: Embedded, row: Row[Any], stored: Credentials) -> datetime | None:
    """Take the refresh lease and return its end; None if it is taken, or ``stored`` is outdated."""
    table, now = tables.account_connector, clock.now()
    if is_ahead(row.refresh_lease_ends, now, LEASE):
        return None
    free = (
        (table.c.id == row.id)
        & is_not_ahead(table.c.refresh_lease_ends, now, LEASE)
        & is_not_ahead(table.c.refresh_not_before, now, LONGEST_WAIT)
    )
    with service.database.writing() as connection:
        taken = update(table).where(free).values(refresh_lease_ends=now + LEASE).returning(table)
        current = connection.execute(taken).one_or_none()
        if current is None:
            return None
        # Another process may have refreshed between the read and the lease.
        if current.credentials is not None and _decrypt(service, current) == stored:
            return now + LEASE
        refresh_failures.put(connection, row.id, refresh_lease_ends=None)
        return None


def refresh(
    service: Embedded, row: Row[Any], stored: Credentials, lease: datetime, *, rejected: bool = False
) -> None:
    """Refresh at the third party and store the result or the failure. Raises no error of the third party.

    ``rejected``: the third party rejects the stored access token, although it may not have expired.
    """
    failure: ProviderFailed | None
    try:
        stored, failure = _request_and_keep(service, row, stored, lease)
    except Exception as error:  # noqa: BLE001  # any error must release the lease for the next caller
        log.error("unforeseen error", **about(error))  # noqa: TRY400  # a trace would hold the tokens
        failure = ProviderFailed(revocation.UNFORESEEN)
    if failure is not None:
        refresh_failures.note(service, row, stored, lease, failure, rejected=rejected)
    service.refreshes.end(row.id)


def _has_another_token(stored: Credentials, first: Credentials) -> bool:
    """Whether ``stored`` has another access token, or the same one with a new lifetime."""
    return (stored.access_token, stored.obtained_at) != (first.access_token, first.obtained_at)


def _check_unrenewable(
    service: Embedded, row: Row[Any], item: CatalogueConnector | None, stored: Credentials
) -> Credentials:
    """Return a token that cannot be renewed, if it is still valid. Raises ``NeedsSignIn``."""
    if liveness.has_expired(service, stored):
        refresh_failures.end(service, row, stored, "expired")
    elif state.is_due(item, stored, clock.now()):
        # Only by a clock that has jumped ahead: the grant is kept.
        raise NeedsSignIn
    elif not liveness.is_alive(service, item, stored):
        refresh_failures.end(service, row, stored, "revoked")
    else:
        return stored
    raise NeedsSignIn


def _seconds_until_retry(row: Row[Any], now: datetime) -> float | None:
    if not is_ahead(row.refresh_not_before, now, LONGEST_WAIT):
        return None
    return float((row.refresh_not_before - now).total_seconds())


def _still_valid(stored: Credentials, now: datetime, retry_after: float, *, refused: bool) -> Credentials:
    if refused or (stored.expires_at is not None and stored.expires_at <= now):
        raise Unavailable(retry_after)
    return stored


def _decrypt(service: Embedded, row: Row[Any]) -> Credentials:
    return unseal(service.vault, row.credentials, store.sealed_in(row, "credentials"))


def _request_and_keep(
    service: Embedded, row: Row[Any], stored: Credentials, lease: datetime
) -> tuple[Credentials, ProviderFailed | None]:
    """Returns the credentials that are stored now, and the failure if they are not refreshed."""
    try:
        new = _request(service, row, stored)
    except ProviderFailed as failure:
        return refreshed.keep_refused(service, row, stored, failure.refused, lease), failure
    refreshed.keep(service, row, stored, new, lease)
    return new, None


def _request(service: Embedded, row: Row[Any], stored: Credentials) -> Credentials:
    item = service.catalogue.by_id(row.connector_id)
    if item is None:
        raise ProviderFailed("not_in_catalogue")
    with service.database.reading() as connection:
        values = properties.values_of(service, connection, row.id)
    new = _request_token(service, item, client_of(item, values), stored)
    return replace(
        new,
        refresh_token=new.refresh_token or stored.refresh_token,
        scope=stored.scope if new.scope is None else new.scope,
        expires_at=carried_over.access_token_end(stored, new),
        **carried_over.grant_times(stored, new),
        values=stored.values,
        extra={**stored.extra, **new.extra},
    )


def _request_token(
    service: Embedded, item: CatalogueConnector, client: Client, stored: Credentials
) -> Credentials:
    if item.needs_no_user:
        return service.provider.client_credentials(item, client, stored.values)[0]
    return service.provider.refresh(item, client_of_grant(stored.client, client), stored)
