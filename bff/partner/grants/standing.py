"""Whether a grant that is to be revoked is, or would take along, one that stands.

A third party may give the same refresh token again when a user signs in again, and some end every token that
a user's account gave a client when one of them is revoked (``revocation_ends = "consent"``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

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
    """The token by which a grant is known, and what kind it is; ``ending`` says what is sent."""

    value: str
    hint: str


@dataclass(frozen=True)
class Grant:
    """A grant that is to be revoked: of which account connector, and of whom at the third party."""

    credentials: Credentials
    client: Client
    account_connector_id: int
    external_account: str | None

    @property
    def token(self) -> Token:
        """By which it is known."""
        return token_of(self.credentials)


def token_of(credentials: Credentials) -> Token:
    """With the refresh token its access tokens end as well (RFC 7009, section 2.1)."""
    if credentials.refresh_token:
        return Token(credentials.refresh_token, "refresh_token")
    return Token(credentials.access_token, "access_token")


def fingerprint(credentials: Credentials) -> str:
    """By this an account connector with the same grant is found."""
    return sha256(token_of(credentials).value)


def client_for(
    service: Embedded, connection: Connection, item: CatalogueConnector, account_connector_id: int
) -> Client:
    """The client of an account connector, or of the catalogue where it is gone. Raises ``CannotOpen``."""
    return client_of(item, properties.values_of(service, connection, account_connector_id))


def stands(service: Embedded, connection: Connection, item: CatalogueConnector, grant: Grant) -> bool:
    """Whether revoking ``grant`` would end what is connected, or held for a choice."""
    live = list(_live(connection, item, grant))
    if any(_is_same(service, row, grant) for row in live) or _is_held(service, connection, item, grant):
        return True
    return item.revocation_ends == "consent" and any(
        _is_same_account(row.id, row.external_account, grant)
        and _client(service, connection, item, row.id) in {grant.client.id, None}
        for row in live
    )


def _live(connection: Connection, item: CatalogueConnector, grant: Grant) -> Iterator[Row[Any]]:
    table = tables.account_connector.c
    near = [table.grant_sha256 == sha256(grant.token.value), table.id == grant.account_connector_id]
    if grant.external_account is not None:
        near.append(func.lower(table.external_account) == func.lower(grant.external_account))
    wanted = select(tables.account_connector).where(
        table.connector_id == item.id, table.credentials.is_not(None), or_(*near)
    )
    yield from connection.execute(wanted)


def _is_same(service: Embedded, row: Row[Any], grant: Grant) -> bool:
    if row.grant_sha256 is not None and row.id != grant.account_connector_id:
        # house-allow: secret-compare: both are ours, and nobody outside chooses either
        return bool(row.grant_sha256 == sha256(grant.token.value))
    return _opens_to(service, row.credentials, store.sealed_in(row, "credentials"), grant)


def _is_held(service: Embedded, connection: Connection, item: CatalogueConnector, grant: Grant) -> bool:
    sign_in, installed = tables.sign_in, tables.account_connector
    wanted = select(sign_in, *store.OWNER).select_from(sign_in.join(installed))
    held = wanted.where(installed.c.connector_id == item.id, sign_in.c.held.is_not(None))
    return any(
        (item.revocation_ends == "consent" and _are_one(row.external_account, grant.external_account))
        or _opens_to(service, row.held, store.held_in(store.BesideOwner(row), row.token_sha256), grant)
        for row in connection.execute(held)
    )


def _opens_to(service: Embedded, sealed: str, context: str, grant: Grant) -> bool:
    try:
        return token_of(unseal(service.vault, sealed, context)).value == grant.token.value
    except CannotOpen:
        return False


def _is_same_account(account_connector_id: int, account: str | None, grant: Grant) -> bool:
    """As far as anybody knows: who does not know whose grant it is, ends none that stands."""
    if account is None or grant.external_account is None:
        return account_connector_id == grant.account_connector_id
    return is_same(account, grant.external_account)


def _are_one(one: str | None, other: str | None) -> bool:
    return one == other if one is None or other is None else is_same(one, other)


def _client(
    service: Embedded, connection: Connection, item: CatalogueConnector, account_connector_id: int
) -> str | None:
    try:
        return client_for(service, connection, item, account_connector_id).id
    except CannotOpen:
        return None
