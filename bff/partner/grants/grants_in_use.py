"""Decides whether revoking a grant would end a grant that is still connected or held.

A third party may return the same refresh token when a user signs in again. Some revoke all tokens of a user
and a client together (``revocation_ends = "consent"`` in the catalogue entry). Several entries may have the
same client, so the connections of all entries with the same endpoints count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    """Whether revoking ``grant``, which is of the entry ``item``, would end a connected or a held grant."""
    search = _Search(service, connection, item, _entries_beside(service, item), grant)
    return search.is_connected() or search.is_held()


def _entries_beside(service: Embedded, item: CatalogueConnector) -> dict[int, CatalogueConnector]:
    """The entries of the same third party, by id: those with an endpoint of ``item``, and ``item`` itself.

    An entry without a revocation endpoint may have the same client, so its token endpoint counts too.
    """
    found = {
        entry.id: entry
        for entry in service.catalogue.connectors
        if entry.revocation_url == item.revocation_url is not None
        or entry.token_url == item.token_url is not None
    }
    return {**found, item.id: item}


@dataclass(frozen=True)
class _Stored:
    """A stored grant, sealed, with its owner and third-party account."""

    account_connector_id: int
    entry: CatalogueConnector
    external_account: str | None
    sealed: str
    context: str


@dataclass(frozen=True)
class _Search:
    """A search for what revoking ``grant`` would end, among the connections of ``entries``."""

    service: Embedded
    connection: Connection
    item: CatalogueConnector
    entries: Mapping[int, CatalogueConnector]
    grant: Grant

    def is_connected(self) -> bool:
        """Whether it would end a connected grant."""
        for row in self._candidates():
            context = store.sealed_in(row, "credentials")
            stored = self._stored(row, row.id, row.credentials, context)
            if self._is_same(row, stored) or self._shares_consent(stored):
                return True
        return False

    def is_held(self) -> bool:
        """Whether it would end a held grant."""
        sign_in, installed = tables.sign_in, tables.account_connector
        wanted = select(sign_in, *store.OWNER).select_from(sign_in.join(installed))
        held = wanted.where(installed.c.connector_id.in_(self.entries), sign_in.c.held.is_not(None))
        for row in self.connection.execute(held):
            context = store.held_in(store.BesideOwner(row), row.token_sha256)
            stored = self._stored(row, row.account_connector_id, row.held, context)
            if self._has_token(stored) or self._shares_consent(stored):
                return True
        return False

    def _stored(self, row: Row[Any], account_connector_id: int, sealed: str, context: str) -> _Stored:
        entry = self.entries[row.connector_id]
        return _Stored(account_connector_id, entry, row.external_account, sealed, context)

    def _candidates(self) -> Iterator[Row[Any]]:
        table, account = tables.account_connector.c, self.grant.external_account
        conditions = [
            table.grant_sha256 == sha256(self.grant.token.value),
            table.id == self.grant.account_connector_id,
        ]
        if self.item.revocation_ends == "consent":
            # Where either account is unknown, or another claim names it, they may be the same.
            others = [entry.id for entry in self.entries.values() if not self._names_alike(entry)]
            conditions += [table.external_account.is_(None), table.connector_id.in_(others)]
        if account is not None:
            conditions.append(func.lower(table.external_account) == func.lower(account))
        elif self.item.revocation_ends == "consent":
            conditions.append(true())
        wanted = select(tables.account_connector).where(
            table.connector_id.in_(self.entries), table.credentials.is_not(None), or_(*conditions)
        )
        yield from self.connection.execute(wanted)

    def _is_same(self, row: Row[Any], stored: _Stored) -> bool:
        if row.grant_sha256 is not None and row.id != self.grant.account_connector_id:
            # house-allow: secret-compare: both are computed here, and no caller chooses either
            return bool(row.grant_sha256 == sha256(self.grant.token.value))
        return self._has_token(stored)

    def _has_token(self, stored: _Stored) -> bool:
        try:
            credentials = unseal(self.service.vault, stored.sealed, stored.context)
        except CannotOpen:
            return False
        return token_of(credentials).value == self.grant.token.value

    def _shares_consent(self, stored: _Stored) -> bool:
        """Whether a stored grant may end as well, because it may be of the same account and client."""
        return (
            self.item.revocation_ends == "consent"
            and self._may_be_same_account(stored)
            and self._is_of_client(stored)
        )

    def _may_be_same_account(self, stored: _Stored) -> bool:
        one, other = stored.external_account, self.grant.external_account
        return one is None or other is None or not self._names_alike(stored.entry) or is_same(one, other)

    def _names_alike(self, entry: CatalogueConnector) -> bool:
        return entry.account_claim == self.item.account_claim

    def _is_of_client(self, stored: _Stored) -> bool:
        """Whether a stored grant was issued to the same client, or cannot be decrypted."""
        try:
            client = unseal(self.service.vault, stored.sealed, stored.context).client
            if client is None:
                client = client_for(self.service, self.connection, stored.entry, stored.account_connector_id)
        except CannotOpen:
            return True
        return client.id == self.grant.client.id
