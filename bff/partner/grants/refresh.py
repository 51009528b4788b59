"""Access tokens that last: refreshed once, near their end, however many callers and processes ask."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Row, or_, update

from bff.partner import clock
from bff.partner.account_connectors import properties, state, store
from bff.partner.account_connectors.client import client_of
from bff.partner.account_connectors.credentials import seal, unseal
from bff.partner.audit import audit
from bff.partner.context import Embedded
from bff.partner.grants import noting, refresh_failures, revocation, standing
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Client, Credentials
from bff.partner.providers.provider import ProviderFailed
from bff.partner.storage import tables
from bff.serving.logs import about

LEASE: Final = timedelta(seconds=30)
"""Longer than a call may take: whoever holds it longer has died, and the next one tries."""
WAIT_SECONDS: Final = 25.0
POLL_SECONDS: Final = 0.05
UNAUTHORIZED: Final = 401

log = structlog.get_logger("hitchpost.embedded")


class NeedsSignIn(Exception):
    """There is nothing to get an access token with: the user has to sign in again."""


class Unavailable(Exception):
    """No access token just now, but the connection stands. ``retry_after`` is in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("the third party gives no access token just now")
        self.retry_after = retry_after


def usable(
    service: Embedded, account_id: str, account_connector_id: int, *, force: bool = False
) -> Credentials:
    """Credentials whose access token can be used now. Raises ``NeedsSignIn``, ``Unavailable`` or 404.

    Of any number of callers, in any number of processes, one asks the third party; the others wait for what
    it stores, and take it however short its life is. A refresh that fails changes nothing while the kept
    token is good. ``force`` refreshes although the kept token seems good: the third party refused it, and
    it is not given again.
    """
    ends, first = time.monotonic() + WAIT_SECONDS, None
    while True:
        with service.database.reading() as connection:
            row = store.find(connection, account_id, account_connector_id)
        kept, now, item = opened(service, row), clock.now(), service.catalogue.by_id(row.connector_id)
        first = first or kept
        if kept != first or not (force or state.is_due(item, kept, now)):
            return kept
        if not state.is_renewable(item, kept):
            return _tried(service, row, item, kept)
        if (wait := _cooling(row, now)) is not None:
            return _still_good(kept, now, wait, refused=force)
        if (lease := take_lease(service, row, kept)) is not None:
            refresh(service, row, kept, lease)
        elif time.monotonic() > ends:
            return _still_good(kept, now, 1.0, refused=force)
        else:
            time.sleep(POLL_SECONDS)  # house-allow: sleep: the condition is another process's


def opened(service: Embedded, row: Row[Any]) -> Credentials:
    """The credentials of an account connector that is connected. Raises ``NeedsSignIn``, ``CannotOpen``."""
    if not row.authenticated or row.credentials is None:
        raise NeedsSignIn
    return unseal(service.vault, row.credentials, store.sealed_in(row, "credentials"))


def take_lease(service: Embedded, row: Row[Any], kept: Credentials) -> datetime | None:
    """The end of a lease that is now this caller's; None while there is another, or no need any more."""
    table, now = tables.account_connector, clock.now()
    free = (
        (table.c.id == row.id)
        & or_(table.c.refresh_lease_ends.is_(None), table.c.refresh_lease_ends < now)
        & or_(table.c.refresh_not_before.is_(None), table.c.refresh_not_before <= now)
    )
    with service.database.writing() as connection:
        taken = update(table).where(free).values(refresh_lease_ends=now + LEASE).returning(table)
        current = connection.execute(taken).one_or_none()
        if current is None:
            return None
        # Looked at again: another may have refreshed between our reading and our taking the lease.
        if current.credentials is not None and _sealed(service, current) == kept:
            return now + LEASE
        refresh_failures.put(connection, row.id, refresh_lease_ends=None)
        return None


def refresh(service: Embedded, row: Row[Any], kept: Credentials, lease: datetime) -> None:
    """Ask the third party, and store what it answers, good or bad. Raises nothing of the third party's."""
    try:
        new = _asked(service, row, kept)
        _store(service, row, kept, new)
    except ProviderFailed as failure:
        refresh_failures.note(service, row, kept, lease, failure)
    except Exception as error:  # noqa: BLE001  # whatever it is, the next caller is not to wait for the lease
        log.error("unforeseen error", **about(error))  # noqa: TRY400  # a trace would hold the tokens
        refresh_failures.note(service, row, kept, lease, ProviderFailed(revocation.UNFORESEEN))


def is_alive(service: Embedded, item: CatalogueConnector | None, kept: Credentials) -> bool:
    """Whether the third party still takes an access token, as far as its user-info endpoint says, twice."""
    if item is None or item.userinfo_url is None:
        return True
    answers = (service.provider.user_info(item, kept)[1] for _ in range(2))
    return not all(answer is not None and answer.status == UNAUTHORIZED for answer in answers)


def _tried(
    service: Embedded, row: Row[Any], item: CatalogueConnector | None, kept: Credentials
) -> Credentials:
    """A token that nothing can renew: it is good, or its grant has ended."""
    if kept.expires_at is not None and kept.expires_at <= clock.now():
        refresh_failures.end(service, row, kept, "expired")
    elif not is_alive(service, item, kept):
        refresh_failures.end(service, row, kept, "revoked")
    else:
        return kept
    raise NeedsSignIn


def _cooling(row: Row[Any], now: datetime) -> float | None:
    if row.refresh_not_before is None or row.refresh_not_before <= now:
        return None
    return float((row.refresh_not_before - now).total_seconds())


def _still_good(kept: Credentials, now: datetime, retry_after: float, *, refused: bool) -> Credentials:
    if refused or (kept.expires_at is not None and kept.expires_at <= now):
        raise Unavailable(retry_after)
    return kept


def _sealed(service: Embedded, row: Row[Any]) -> Credentials:
    return unseal(service.vault, row.credentials, store.sealed_in(row, "credentials"))


def _asked(service: Embedded, row: Row[Any], kept: Credentials) -> Credentials:
    item = service.catalogue.by_id(row.connector_id)
    if item is None:
        raise ProviderFailed("not_in_catalogue")
    with service.database.reading() as connection:
        found = properties.values_of(service, connection, row.id)
    new = _answered(service, item, client_of(item, found), kept)
    return replace(
        new,
        refresh_token=new.refresh_token or kept.refresh_token,
        scope=kept.scope if new.scope is None else new.scope,
        # Some count down; some tell the end of a refresh token once, and keep to it.
        grant_ends_at=new.grant_ends_at or kept.grant_ends_at,
        values=kept.values,
        extra={**kept.extra, **new.extra},
    )


def _answered(service: Embedded, item: CatalogueConnector, client: Client, kept: Credentials) -> Credentials:
    if item.needs_no_user:
        return service.provider.client_credentials(item, client, kept.values)[0]
    return service.provider.refresh(item, client, kept)


def _store(service: Embedded, row: Row[Any], kept: Credentials, new: Credentials) -> None:
    """Commit what came, before anybody uses it.

    It replaces exactly what it was got with. A user who signed in again meanwhile has brought a newer grant,
    one who disconnected wants none: either way this one is revoked.
    """
    noted = None
    with service.database.writing() as connection:
        current = refresh_failures.locked(connection, row.id)
        if current is not None and current.credentials is not None and _sealed(service, current) == kept:
            values = {
                "credentials": seal(service.vault, new, store.sealed_in(row, "credentials")),
                "grant_sha256": standing.fingerprint(new),
                "refresh_not_before": None,
                "refresh_failures": 0,
                "refresh_lease_ends": None,
                "authenticated": True,
                "grant_reason": None,
                "next_refresh_at": state.next_look(service.catalogue.by_id(row.connector_id), new),
            }
            refresh_failures.put(connection, row.id, **values)
            if current.grant_reason:
                audit("grant works again", account=row.account_id, account_connector=row.id)
        else:
            noted = noting.throw_away(service, connection, noting.owner_of(row), new)
    revocation.revoke_now(service, noted)
