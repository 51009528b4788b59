"""A grant that is needed no more is revoked at its third party (RFC 7009), now or as soon as that works.

It is first noted, sealed, in the transaction that takes it out of use: whatever happens after that (the third
party is away, the process ends), it is revoked in the end, and until then it is told of.
"""

from __future__ import annotations

import logging
import random
import secrets
import time
from datetime import datetime, timedelta
from typing import Any, Final

from flask import json
from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from bff.partner import account_connector_store as store
from bff.partner import clock, flows, grants, properties, tables
from bff.partner.context import Embedded
from bff.partner.credentials import unseal
from bff.partner.crypto import CannotOpen
from bff.partner.provider import Client, Credentials, ProviderFailed

FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=6)
TAKEN_FOR: Final = timedelta(minutes=1)
"""Longer than one call may take: meanwhile nobody else tries the same."""

log = logging.getLogger("hitchpost.embedded")


def throw_away(
    service: Embedded, connection: Connection, row: Row[Any], credentials: Credentials
) -> str | None:
    """Note that a grant of this account connector is to be revoked; an id for ``revoke_now``.

    None where the third party has no revocation endpoint: then there is nothing to be done.
    """
    item = service.catalogue.by_id(row.connector_id)
    if item is None or item.revocation_url is None:
        return None
    client = flows.client_of(item, properties.values_of(service, connection, row.id))
    token, hint = credentials.access_token, "access_token"
    if credentials.refresh_token:
        # With the refresh token its access tokens end as well (RFC 7009, section 2.1).
        token, hint = credentials.refresh_token, "refresh_token"
    noted, now = secrets.token_hex(16), clock.now()
    # The client too: the properties that brought it may go together with the account.
    kept = json.dumps([token, hint, client.id, client.secret])
    values = {
        "id": noted,
        "connector_id": row.connector_id,
        "account_id": row.account_id,
        "account_connector_id": row.id,
        "sealed_grant": service.vault.seal(kept, sealed_in(noted)),
        "created_at": now,
        "next_at": now,
    }
    connection.execute(insert(tables.pending_revocation).values(values))
    return noted


def take_out_of_use(service: Embedded, connection: Connection, row: Row[Any]) -> str | None:
    """Forget the credentials of an account connector, and note that their grant is to be revoked."""
    noted = None
    if row.credentials is not None:
        try:
            kept = unseal(service.vault, row.credentials, store.sealed_in(row, "credentials"))
        except CannotOpen:
            log.exception("credentials of account connector %s do not open: not revoked", row.id)
        else:
            noted = throw_away(service, connection, row, kept)
    table = tables.account_connector
    nothing = {
        "authenticated": False,
        "authenticated_at": None,
        "auth_value": None,
        "credentials": None,
        "external_account": None,
        "refresh_not_before": None,
        "refresh_failures": 0,
    }
    connection.execute(update(table).where(table.c.id == row.id).values(nothing))
    return noted


def revoke_now(service: Embedded, noted: str | None) -> str:
    """Revoke what was noted; an empty text, or a sentence saying that it is still to be done."""
    table = tables.pending_revocation
    error = _try(service, clock.now(), table.c.id == noted) if noted is not None else None
    if not error:
        return ""
    return f" The third party has not revoked its grant yet ({error}); this is tried again until it has."


def retry_revocations(service: Embedded, limit: int, *, seconds: float = 30.0) -> int:
    """Try what is due, at most ``limit`` and for about ``seconds``; how many were revoked."""
    table, done, ends = tables.pending_revocation, 0, time.monotonic() + seconds
    now = clock.now()
    with service.database.reading() as connection:
        due = select(table.c.id).where(table.c.next_at <= now).order_by(table.c.next_at).limit(limit)
        ids = list(connection.execute(due).scalars())
    for noted in ids:
        if time.monotonic() >= ends:
            break
        done += _try(service, now, (table.c.id == noted) & (table.c.next_at <= now)) is None
    return done


def throw_away_unchosen(service: Embedded, now: datetime, limit: int) -> int:
    """Note the grants for revocation that were held for a choice which nobody made in time; how many."""
    with service.database.writing() as connection:
        return throw_away_held(service, connection, tables.sign_in.c.at < now - grants.HELD_FOR, limit)


def throw_away_held(
    service: Embedded, connection: Connection, which: ColumnElement[bool], limit: int | None = None
) -> int:
    """Note the held grants of these sign-ins for revocation, and hold them no more; how many."""
    sign_in, installed = tables.sign_in, tables.account_connector
    wanted = select(sign_in.c.held, sign_in.c.token_sha256, installed).select_from(sign_in.join(installed))
    wanted = wanted.where(sign_in.c.held.is_not(None), which).limit(limit)
    rows = list(connection.execute(wanted.with_for_update(of=sign_in, skip_locked=True)))
    for row in rows:
        try:
            kept = unseal(service.vault, row.held, store.held_in(row, row.token_sha256))
        except CannotOpen:
            log.exception("a held grant of account connector %s does not open: not revoked", row.id)
        else:
            throw_away(service, connection, row, kept)
        ours = update(sign_in).where(sign_in.c.token_sha256 == row.token_sha256)
        connection.execute(ours.values(held=None))
    return len(rows)


def pending(connection: Connection, connector_id: int) -> list[Row[Any]]:
    """What is still to be revoked of a connector, oldest first."""
    table = tables.pending_revocation
    wanted = select(table).where(table.c.connector_id == connector_id)
    return list(connection.execute(wanted.order_by(table.c.created_at)))


def sealed_in(noted: str) -> str:
    """The table, row and column that a noted grant is bound to."""
    return f"pending_revocation:{noted}:sealed_grant"


def _try(service: Embedded, now: datetime, which: ColumnElement[bool]) -> str | None:
    """Revoke one: None when it is done, an empty text when another process is at it, else an error."""
    table = tables.pending_revocation
    with service.database.writing() as connection:
        taken = update(table).where(which).values(next_at=now + TAKEN_FOR).returning(table)
        row = connection.execute(taken).one_or_none()
    if row is None:
        return ""
    error = _revoke(service, row)
    with service.database.writing() as connection:
        if error is None:
            connection.execute(delete(table).where(table.c.id == row.id))
        else:
            values = {"error": error, "failures": row.failures + 1, "next_at": now + _wait(row.failures)}
            connection.execute(update(table).where(table.c.id == row.id).values(values))
            log.warning("a grant of connector %s is not revoked yet: %s", row.connector_id, error)
    return error


def _revoke(service: Embedded, row: Row[Any]) -> str | None:
    item = service.catalogue.by_id(row.connector_id)
    if item is None or item.revocation_url is None:
        return "no_revocation_url"
    try:
        token, hint, client, secret = json.loads(service.vault.open(row.sealed_grant, sealed_in(row.id)))
        service.provider.revoke(item, Client(client, secret), token, hint)
    except CannotOpen:
        return "encryption_key_missing"
    except ProviderFailed as failure:
        return failure.error
    return None


def _wait(failures: int) -> timedelta:
    # At least half of it, so that nobody hammers; the other half spreads what failed together.
    longest = min(FIRST_WAIT * 2 ** min(failures, 20), LONGEST_WAIT)
    return timedelta(seconds=longest.total_seconds() * random.uniform(0.5, 1.0))  # noqa: S311  # nosec B311  # spreads load
