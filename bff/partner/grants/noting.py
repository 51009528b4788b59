"""Stores pending revocations: grants that are no longer used and must be revoked at their third party.

The grant is stored, encrypted, in the transaction that takes it out of use. It is therefore not lost if the
third party is unavailable or the process ends. ``revocation.py`` revokes it, or gives up after many tries.
Until then the grant inventory lists it.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from bff.partner import clock
from bff.partner.account_connectors import store
from bff.partner.account_connectors.client import client_of_grant
from bff.partner.account_connectors.credentials import seal, unseal
from bff.partner.context import Embedded
from bff.partner.crypto import CannotOpen, Vault
from bff.partner.grants import grants_in_use
from bff.partner.providers.credentials import Client, Credentials
from bff.partner.storage import tables

log = structlog.get_logger("hitchpost.embedded")


HELD_FOR: Final = timedelta(minutes=15)
"""How long after the sign-in a held grant may be accepted."""
_HELD: Final = re.compile(r"sign_in:([0-9a-f]{64}):held:")


@dataclass(frozen=True)
class Owner:
    """The owner of a grant: an account connector (which may be deleted) and the third-party account."""

    account_connector_id: int
    connector_id: int
    account_id: str
    external_account: str | None = None


def owner_of(row: Any) -> Owner:
    """The owner of a grant that the account connector (``row``) has connected or holds."""
    return Owner(row.id, row.connector_id, row.account_id, row.external_account)


def throw_away(
    service: Embedded, connection: Connection, owner: Owner, credentials: Credentials, *, new: bool = False
) -> str | None:
    """Store a pending revocation. Returns its id, for ``revocation.revoke_now``.

    None if the third party has no revocation endpoint. ``new``: the grant was just obtained, and the secret
    of its client is newer than the stored one.
    """
    revocation_id, client = secrets.token_hex(16), credentials.client if new else None
    complete = replace(credentials, client=client or _client_of(service, connection, owner, credentials))
    context = sealed_in(revocation_id, owner)
    return _insert(connection, service, owner, revocation_id, seal(service.vault, complete, context), context)


def note_again(service: Embedded, row: Row[Any], credentials: Credentials) -> None:
    """Store refreshed credentials in a pending revocation. The refresh may have invalidated the old ones.

    The error of an earlier try, which may say that they were lost, is cleared.
    """
    context = sealed_in(row.id, Owner(row.account_connector_id, row.connector_id, row.account_id))
    table, sealed = tables.pending_revocation, seal(service.vault, credentials, context)
    values = {"sealed_grant": sealed, "sealed_for": context, "error": None}
    changed = update(table).where(table.c.id == row.id).values(values)
    with service.database.writing() as connection:
        connection.execute(changed)


def _client_of(
    service: Embedded, connection: Connection, owner: Owner, credentials: Credentials
) -> Client | None:
    """The client that the grant was issued to, with its current secret if that is known.

    The client is stored with the grant: the properties that define it may change, or be deleted with the
    account.
    """
    item, stored = service.catalogue.by_id(owner.connector_id), credentials.client
    if item is None:
        return stored
    try:
        current = grants_in_use.client_for(service, connection, item, owner.account_connector_id)
    except CannotOpen:
        return stored
    return client_of_grant(stored, current)


def throw_away_sealed(
    service: Embedded, connection: Connection, owner: Owner, sealed: str, context: str
) -> str | None:
    """Like ``throw_away``, for an encrypted grant. Without its key it is stored as it is."""
    try:
        return throw_away(service, connection, owner, unseal(service.vault, sealed, context))
    except CannotOpen:
        about = {"account_connector": owner.account_connector_id}
        log.error("a grant does not open: revoked when its key is back", **about)  # noqa: TRY400
        return _insert(connection, service, owner, secrets.token_hex(16), sealed, context)


def throw_away_unchosen(service: Embedded, now: datetime, limit: int) -> int:
    """Store pending revocations for held grants that were not accepted in time. Returns their number."""
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
    """Turn the held grants of the sign-ins ``which`` into pending revocations. Returns their number.

    ``skip_locked`` leaves out sign-ins that another transaction has locked.
    """
    sign_in, installed = tables.sign_in, tables.account_connector
    grant = (sign_in.c.held, sign_in.c.token_sha256, sign_in.c.external_account)
    owner = (installed.c.id, installed.c.connector_id, installed.c.account_id)
    wanted = select(*grant, *owner).select_from(sign_in.join(installed))
    wanted = wanted.where(sign_in.c.held.is_not(None), which).limit(limit)
    rows = list(connection.execute(wanted.with_for_update(of=sign_in, skip_locked=skip_locked)))
    for row in rows:
        context = store.held_in(row, row.token_sha256)
        throw_away_sealed(service, connection, owner_of(row), row.held, context)
        clear = update(sign_in).where(sign_in.c.token_sha256 == row.token_sha256)
        connection.execute(clear.values(held=None))
    return len(rows)


def _insert(
    connection: Connection,
    service: Embedded,
    owner: Owner,
    revocation_id: str,
    sealed: str,
    context: str,
) -> str | None:
    item = service.catalogue.by_id(owner.connector_id)
    if item is not None and item.revocation_url is None:
        return None
    values = {
        "id": revocation_id,
        "connector_id": owner.connector_id,
        "account_id": owner.account_id,
        "account_connector_id": owner.account_connector_id,
        "external_account": owner.external_account,
        "sealed_grant": sealed,
        "sealed_for": context,
        "created_at": clock.now(),
        "next_at": clock.now(),
    }
    connection.execute(insert(tables.pending_revocation).values(values))
    return revocation_id


def sealed_in(revocation_id: str, owner: Owner) -> str:
    """The context that a pending revocation is encrypted for: table, row, column and owner.

    Write access to the database alone is therefore not enough to send the grant to another third party.
    """
    whose = f"{owner.account_connector_id}:{owner.connector_id}:{owner.account_id}"
    return f"pending_revocation:{revocation_id}:sealed_grant:{whose}"


def context_of(row: Row[Any]) -> str:
    """The context that the grant of this row is encrypted for. Raises ``CannotOpen`` if the owner differs."""
    owner = Owner(row.account_connector_id, row.connector_id, row.account_id)
    owner_ids = store.AsOwner(owner.account_connector_id, owner.account_id, owner.connector_id)
    held_context = _HELD.match(row.sealed_for or "")
    original = (
        store.held_in(owner_ids, held_context[1])
        if held_context
        else store.sealed_in(owner_ids, "credentials")
    )
    if row.sealed_for not in {original, sealed_in(row.id, owner)}:
        raise CannotOpen(f"what is noted as {row.id} is sealed for another owner")
    return str(row.sealed_for)


def opened(vault: Vault, row: Row[Any]) -> Credentials:
    """Decrypt the credentials of a row. ``client`` is None if it was not known. Raises ``CannotOpen``."""
    return unseal(vault, row.sealed_grant, context_of(row))
