"""A grant that is needed no more is noted, sealed, in the transaction that takes it out of use.

Whatever happens after that (the third party is away, the process ends), it is revoked in the end
(``revocation.py``), or given up after many tries, and until then it is told of.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from flask import json
from sqlalchemy import Connection, Row, insert, update

from bff.partner import clock
from bff.partner.account_connectors import store
from bff.partner.account_connectors.credentials import seal, unseal
from bff.partner.context import Embedded
from bff.partner.crypto import CannotOpen, Vault
from bff.partner.grants import standing
from bff.partner.providers.credentials import Client, Credentials
from bff.partner.storage import tables

log = structlog.get_logger("hitchpost.embedded")


_HELD: Final = re.compile(r"sign_in:([0-9a-f]{64}):held:")


@dataclass(frozen=True)
class Owner:
    """Whose grant it is: an account connector, which may be gone, and an account at the third party."""

    account_connector_id: int
    connector_id: int
    account_id: str
    external_account: str | None = None


def owner_of(row: Any) -> Owner:
    """The owner of what an account connector (``row``) has connected, or of what is held for it."""
    return Owner(row.id, row.connector_id, row.account_id, row.external_account)


def throw_away(
    service: Embedded, connection: Connection, owner: Owner, credentials: Credentials
) -> str | None:
    """Note that a grant is to be revoked; an id for ``revoke_now``.

    None where the third party has no revocation endpoint: then there is nothing to be done.
    """
    noted = secrets.token_hex(16)
    known = replace(credentials, client=_client_of(service, connection, owner, credentials))
    context = sealed_in(noted, owner)
    return _note(connection, service, owner, noted, seal(service.vault, known, context), context)


def note_again(service: Embedded, row: Row[Any], credentials: Credentials) -> None:
    """Keep what a noted grant was refreshed to: an older token of it may be good for nothing any more."""
    context = sealed_in(row.id, Owner(row.account_connector_id, row.connector_id, row.account_id))
    table, sealed = tables.pending_revocation, seal(service.vault, credentials, context)
    changed = update(table).where(table.c.id == row.id).values(sealed_grant=sealed, sealed_for=context)
    with service.database.writing() as connection:
        connection.execute(changed)


def _client_of(
    service: Embedded, connection: Connection, owner: Owner, credentials: Credentials
) -> Client | None:
    """Whom a grant was given to, by the secret that is good now, if that is known.

    The properties that brought the client may have been changed since, or go together with the account.
    """
    item, given = service.catalogue.by_id(owner.connector_id), credentials.client
    if item is None:
        return given
    try:
        now = standing.client_for(service, connection, item, owner.account_connector_id)
    except CannotOpen:
        return given
    return now if given is None or given.id == now.id else given


def throw_away_sealed(
    service: Embedded, connection: Connection, owner: Owner, sealed: str, context: str
) -> str | None:
    """The same for a grant that is sealed for ``context``; as it is where its key is missing just now."""
    try:
        return throw_away(service, connection, owner, unseal(service.vault, sealed, context))
    except CannotOpen:
        about = {"account_connector": owner.account_connector_id}
        log.error("a grant does not open: revoked when its key is back", **about)  # noqa: TRY400
        return _note(connection, service, owner, secrets.token_hex(16), sealed, context)


def _note(
    connection: Connection,
    service: Embedded,
    owner: Owner,
    noted: str,
    sealed: str,
    context: str,
) -> str | None:
    item = service.catalogue.by_id(owner.connector_id)
    if item is not None and item.revocation_url is None:
        return None
    values = {
        "id": noted,
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
    return noted


def sealed_in(noted: str, owner: Owner) -> str:
    """The table, row and column that a noted grant is bound to, and its owner.

    Whoever can write the database, and no more, cannot have it sent to another third party.
    """
    whose = f"{owner.account_connector_id}:{owner.connector_id}:{owner.account_id}"
    return f"pending_revocation:{noted}:sealed_grant:{whose}"


def context_of(row: Row[Any]) -> str:
    """What the grant of this row is sealed for. Raises ``CannotOpen`` where that is not its owner's."""
    if row.sealed_for is None:
        # Noted by an older release, which did not bind it to its owner. Forgotten after thirty days.
        return f"pending_revocation:{row.id}:sealed_grant"
    owner = Owner(row.account_connector_id, row.connector_id, row.account_id)
    ours = store.AsOwner(owner.account_connector_id, owner.account_id, owner.connector_id)
    held = _HELD.match(row.sealed_for)
    found = store.held_in(ours, held[1]) if held else store.sealed_in(ours, "credentials")
    if row.sealed_for not in {found, sealed_in(row.id, owner)}:
        raise CannotOpen(f"what is noted as {row.id} is sealed for another owner")
    return str(row.sealed_for)


def opened(vault: Vault, row: Row[Any]) -> Credentials:
    """What a row holds; its ``client`` is None where nobody knew it. Raises ``CannotOpen``."""
    kept = json.loads(vault.open(row.sealed_grant, context_of(row)))
    if isinstance(kept, dict):
        return unseal(vault, row.sealed_grant, context_of(row))
    # Noted by an older release: one token, and what its URL needs.
    token, hint, client_id, secret, *values = kept
    return Credentials(
        access_token=token if hint == "access_token" else "",
        refresh_token=token if hint == "refresh_token" else None,
        expires_at=None,
        scope=None,
        client=Client(client_id, secret) if client_id is not None else None,
        values=values[0] if values else {},
    )
