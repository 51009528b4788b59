"""A grant that is needed no more is revoked at its third party (RFC 7009), now or as soon as that works.

It is first noted, sealed, in the transaction that takes it out of use: whatever happens after that (the third
party is away, the process ends), it is revoked in the end, or given up after many tries, and until then it is
told of. What stands is never revoked: that is looked at when the third party is about to be asked.
"""

from __future__ import annotations

import random
import time
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, Connection, Row, delete, select, update

from bff.partner import clock
from bff.partner.account_connectors import store
from bff.partner.audit import audit
from bff.partner.context import Embedded
from bff.partner.crypto import CannotOpen
from bff.partner.grants import ending, noting, standing
from bff.partner.grants.noting import Owner
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.catalogue_faults import OWN_APP
from bff.partner.providers.credentials import Credentials
from bff.partner.providers.provider import Provider, ProviderFailed
from bff.partner.storage import tables
from bff.serving.logs import about

FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=6)
MOST_TRIES: Final = 30
"""So often a third party is asked, over some five days."""
WAITED_FOR: Final = timedelta(days=29)
"""So long a key or an entry of the catalogue may be missing: before ``purge`` forgets what was noted."""
TAKEN_FOR: Final = timedelta(minutes=2)
"""Longer than three calls may take: meanwhile nobody else tries the same."""
HELD_FOR: Final = timedelta(minutes=15)
"""So long after the sign-in its grant may be taken in place of the connected one."""
OURS: Final = frozenset({"no_revocation_url", "encryption_key_missing"})
"""What an operator can mend: the third party is not even asked, and this is looked at once an hour."""
OURS_WAITS: Final = timedelta(hours=1)
UNFORESEEN: Final = "internal_error"

log = structlog.get_logger("hitchpost.embedded")


def take_out_of_use(service: Embedded, connection: Connection, row: Row[Any]) -> str | None:
    """Forget the credentials of an account connector, and note that their grant is to be revoked."""
    table, noted = tables.account_connector, None
    # As it is now: a sign-in may have ended since ``row`` was read.
    found = connection.execute(select(table).where(table.c.id == row.id).with_for_update()).one_or_none()
    if found is not None and found.credentials is not None:
        context = store.sealed_in(found, "credentials")
        noted = noting.throw_away_sealed(
            service, connection, noting.owner_of(found), found.credentials, context
        )
    nothing = {
        "authenticated": False,
        "authenticated_at": None,
        "auth_value": None,
        "credentials": None,
        "grant_sha256": None,
        "external_account": None,
        "refresh_not_before": None,
        "refresh_failures": 0,
        "grant_reason": None,
        "next_refresh_at": None,
    }
    connection.execute(update(table).where(table.c.id == row.id).values(nothing))
    _forget_client(service, connection, row)
    return noted


def _forget_client(service: Embedded, connection: Connection, row: Row[Any]) -> None:
    """Where the client is what a user typed, it is as much a credential as the grant was."""
    item, table = service.catalogue.by_id(row.connector_id), tables.property_value.c
    if item is not None and item.auth == "client_credentials":
        ours = (table.account_connector_id == row.id) & table.name.in_(OWN_APP)
        connection.execute(delete(tables.property_value).where(ours))


def let_go(service: Embedded, owner: Owner, credentials: Credentials, *, now: bool) -> None:
    """Revoke a grant that was fetched and is of no use: at once with ``now``, else within a minute.

    Nothing is raised: the sign-in has failed for another reason, which is told.
    """
    try:
        with service.database.writing() as connection:
            noted = noting.throw_away(service, connection, owner, credentials)
        if now:
            revoke_now(service, noted, provider=service.provider.in_a_hurry())
    except Exception as error:  # noqa: BLE001  # whatever it is, the grant would be lost
        log.error("a grant cannot be noted: revoked without", **about(error))  # noqa: TRY400
        _revoke_unnoted(service, owner, credentials)


def _revoke_unnoted(service: Embedded, owner: Owner, credentials: Credentials) -> None:
    item = service.catalogue.by_id(owner.connector_id)
    if item is None or item.revocation_url is None or credentials.client is None:
        return
    try:
        ending.end(service.provider.in_a_hurry(), item, credentials.client, credentials)
    except ProviderFailed as failure:
        audit("revocation given up", account_connector=owner.account_connector_id, error=failure.error)


def revoke_now(service: Embedded, noted: str | None, provider: Provider | None = None) -> str:
    """Revoke what was noted; an empty text, or a sentence saying that it is still to be done."""
    table = tables.pending_revocation
    error = _try(service, clock.now(), table.c.id == noted, provider) if noted is not None else None
    if not error:
        return ""
    return f" The third party has not revoked its grant yet ({error}); this is tried again."


def retry_revocations(service: Embedded, limit: int, *, seconds: float = 30.0) -> int:
    """Try what is due, at most ``limit`` and for about ``seconds``; how many were revoked."""
    table, done, ends = tables.pending_revocation, 0, time.monotonic() + seconds
    now = clock.now()
    is_due = (table.c.next_at <= now) & table.c.given_up_at.is_(None)
    with service.database.reading() as connection:
        due = select(table.c.id).where(is_due).order_by(table.c.next_at).limit(limit)
        ids = list(connection.execute(due).scalars())
    for noted in ids:
        if time.monotonic() >= ends:
            break
        done += _try(service, now, (table.c.id == noted) & is_due) is None
    return done


def throw_away_unchosen(service: Embedded, now: datetime, limit: int) -> int:
    """Note the grants for revocation that were held for a choice which nobody made in time; how many."""
    late = tables.sign_in.c.at < now - HELD_FOR
    with service.database.writing() as connection:
        return throw_away_held(service, connection, late, limit, skip_locked=True)


def throw_away_held(
    service: Embedded,
    connection: Connection,
    which: ColumnElement[bool],
    limit: int | None = None,
    *,
    skip_locked: bool = False,
) -> int:
    """Note the held grants of these sign-ins for revocation, and hold them no more; how many.

    ``skip_locked`` leaves those that somebody is at just now to the next time.
    """
    sign_in, installed = tables.sign_in, tables.account_connector
    grant = (sign_in.c.held, sign_in.c.token_sha256, sign_in.c.external_account)
    owner = (installed.c.id, installed.c.connector_id, installed.c.account_id)
    wanted = select(*grant, *owner).select_from(sign_in.join(installed))
    wanted = wanted.where(sign_in.c.held.is_not(None), which).limit(limit)
    rows = list(connection.execute(wanted.with_for_update(of=sign_in, skip_locked=skip_locked)))
    for row in rows:
        context = store.held_in(row, row.token_sha256)
        noting.throw_away_sealed(service, connection, noting.owner_of(row), row.held, context)
        ours = update(sign_in).where(sign_in.c.token_sha256 == row.token_sha256)
        connection.execute(ours.values(held=None))
    return len(rows)


def pending(connection: Connection, connector_id: int) -> list[Row[Any]]:
    """What is still to be revoked of a connector, or was given up, oldest first."""
    table = tables.pending_revocation
    wanted = select(table).where(table.c.connector_id == connector_id)
    return list(connection.execute(wanted.order_by(table.c.created_at)))


def _try(
    service: Embedded, now: datetime, which: ColumnElement[bool], provider: Provider | None = None
) -> str | None:
    """Revoke one: None when it is done, an empty text when another process is at it, else an error."""
    table = tables.pending_revocation
    with service.database.writing() as connection:
        taken = update(table).where(which).values(next_at=now + TAKEN_FOR).returning(table)
        row = connection.execute(taken).one_or_none()
    if row is None:
        return ""
    error = _outcome(service, row, provider or service.provider)
    with service.database.writing() as connection:
        if error is None:
            connection.execute(delete(table).where(table.c.id == row.id))
        else:
            connection.execute(update(table).where(table.c.id == row.id).values(_failed(row, now, error)))
    return error


def _failed(row: Row[Any], now: datetime, error: str) -> dict[str, Any]:
    """What to write down of a try that failed."""
    failures = row.failures + (error not in OURS)
    told = {"connector": row.connector_id, "account_connector": row.account_connector_id, "error": error}
    if failures < MOST_TRIES and now - row.created_at < WAITED_FOR:
        log.warning("a grant is not revoked yet", **told)
        wait = OURS_WAITS if error in OURS else _wait(row.failures)
        return {"error": error, "failures": failures, "next_at": now + wait}
    audit("revocation given up", account=row.account_id, **told)
    return {"error": error, "failures": failures, "given_up_at": now}


def _outcome(service: Embedded, row: Row[Any], provider: Provider) -> str | None:
    """What came of a try: None when there is nothing left to do, else an error, whatever it was."""
    try:
        return _revoke(service, row, provider)
    except CannotOpen:
        return "encryption_key_missing"
    except ProviderFailed as failure:
        return failure.error
    except Exception as error:  # noqa: BLE001  # else it would be tried for ever
        log.error("unforeseen error", **about(error))  # noqa: TRY400  # a trace would hold the grant
        return UNFORESEEN


def _revoke(service: Embedded, row: Row[Any], provider: Provider) -> str | None:
    item = service.catalogue.by_id(row.connector_id)
    if item is None or item.revocation_url is None:
        return "no_revocation_url"
    with service.database.reading() as connection:
        grant = _noted(service, connection, item, row)
        if standing.stands(service, connection, item, grant):
            audit("grant kept", account=row.account_id, account_connector=row.account_connector_id)
            return None
    ending.end(
        provider, item, grant.client, grant.credentials, lambda new: noting.note_again(service, row, new)
    )
    return None


def _noted(
    service: Embedded, connection: Connection, item: CatalogueConnector, row: Row[Any]
) -> standing.Grant:
    noted = noting.opened(service.vault, row)
    client = noted.client or standing.client_for(service, connection, item, row.account_connector_id)
    return standing.Grant(noted, client, row.account_connector_id, row.external_account)


def _wait(failures: int) -> timedelta:
    # At least half of it, so that nobody hammers; the other half spreads what failed together.
    longest = min(FIRST_WAIT * 2 ** min(failures, 20), LONGEST_WAIT)
    return timedelta(seconds=longest.total_seconds() * random.uniform(0.5, 1.0))  # noqa: S311  # nosec B311  # spreads load
