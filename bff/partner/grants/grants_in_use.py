"""Decides whether revoking a grant would end a grant that is still connected or held.

A third party may return the same refresh token when a user signs in again. Some revoke all tokens of a user
and a client together (``revocation_ends = "consent"`` in the catalogue entry).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select, true

from bff.partner.account_connectors import properties, store
from bff.partner.account_connectors.client import client_of
from bff.partner.account_connectors.credentials import unseal
from bff.partner.account_names import is_same
from bff.partner.context import Embedded
from bff.partner.crypto import CannotOpen, sha256
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Client, Credentials
from bff.partner.storage import tables


@dataclass(frozen=True)
class Token:
    """The token that identifies a grant, and its ``token_type_hint`` (RFC 7009, section 2.1)."""

    value: str
    hint: str


@dataclass(frozen=True)
class Grant:
    """A grant to revoke, with its client, account connector and third-party account."""

    credentials: Credentials
    client: Client
    account_connector_id: int
    external_account: str | None

    @property
    def token(self) -> Token:
        """The token that identifies it."""
        return token_of(self.credentials)


def token_of(credentials: Credentials) -> Token:
    """The refresh token if there is one: revoking it revokes its access tokens (RFC 7009, section 2.1)."""
    if credentials.refresh_token:
        return Token(credentials.refresh_token, "refresh_token")
    return Token(credentials.access_token, "access_token")


def fingerprint(credentials: Credentials) -> str:
    """The SHA-256 by which account connectors with the same grant are found."""
    return sha256(token_of(credentials).value)


def client_for(
    service: Embedded, connection: Connection, item: CatalogueConnector, account_connector_id: int
) -> Client:
    """The client of an account connector; the catalogue's if it is deleted. Raises ``CannotOpen``."""
    return client_of(item, properties.values_of(service, connection, account_connector_id))


def is_in_use(service: Embedded, connection: Connection, item: CatalogueConnector, grant: Grant) -> bool:
    """Whether revoking ``grant`` would end a connected or a held grant."""
    candidates = list(_candidates(connection, item, grant))
    if any(_is_same(service, row, grant) for row in candidates) or _is_held(service, connection, item, grant):
        return True
    return item.revocation_ends == "consent" and any(
        _may_be_same_account(row.external_account, grant.external_account)
        and _client_id(service, connection, item, row) in {grant.client.id, None}
        for row in candidates
    )


def _candidates(connection: Connection, item: CatalogueConnector, grant: Grant) -> Iterator[Row[Any]]:
    table = tables.account_connector.c
    conditions = [table.grant_sha256 == sha256(grant.token.value), table.id == grant.account_connector_id]
    if item.revocation_ends == "consent":
        # Where either account is unknown, they may be the same.
        conditions.append(table.external_account.is_(None))
    if grant.external_account is not None:
        conditions.append(func.lower(table.external_account) == func.lower(grant.external_account))
    elif item.revocation_ends == "consent":
        conditions.append(true())
    wanted = select(tables.account_connector).where(
        table.connector_id == item.id, table.credentials.is_not(None), or_(*conditions)
    )
    yield from connection.execute(wanted)


def _is_same(service: Embedded, row: Row[Any], grant: Grant) -> bool:
    if row.grant_sha256 is not None and row.id != grant.account_connector_id:
        # house-allow: secret-compare: both are computed here, and no caller chooses either
        return bool(row.grant_sha256 == sha256(grant.token.value))
    return _has_token(service, row.credentials, store.sealed_in(row, "credentials"), grant)


def _is_held(service: Embedded, connection: Connection, item: CatalogueConnector, grant: Grant) -> bool:
    sign_in, installed = tables.sign_in, tables.account_connector
    wanted = select(sign_in, *store.OWNER).select_from(sign_in.join(installed))
    held = wanted.where(installed.c.connector_id == item.id, sign_in.c.held.is_not(None))
    return any(
        (
            item.revocation_ends == "consent"
            and _may_be_same_account(row.external_account, grant.external_account)
        )
        or _has_token(service, row.held, store.held_in(store.BesideOwner(row), row.token_sha256), grant)
        for row in connection.execute(held)
    )


def _has_token(service: Embedded, sealed: str, context: str, grant: Grant) -> bool:
    try:
        return token_of(unseal(service.vault, sealed, context)).value == grant.token.value
    except CannotOpen:
        return False


def _may_be_same_account(one: str | None, other: str | None) -> bool:
    return one is None or other is None or is_same(one, other)


def _client_id(
    service: Embedded, connection: Connection, item: CatalogueConnector, row: Row[Any]
) -> str | None:
    """The id of the client that the grant of ``row`` was issued to; None if it cannot be decrypted."""
    try:
        stored = unseal(service.vault, row.credentials, store.sealed_in(row, "credentials"))
        return (stored.client or client_for(service, connection, item, row.id)).id
    except CannotOpen:
        return None
