"""Brings everything that is sealed to the newest key, so that an old one can be removed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Row, Select, Table, select, update

from bff.partner.account_connectors import store
from bff.partner.crypto import CannotOpen, Vault
from bff.partner.grants import noting
from bff.partner.sign_in import completion, flows
from bff.partner.storage import tables
from bff.partner.storage.database import Database

BATCH: Final = 200


@dataclass(frozen=True)
class Sealed:
    """A column with sealed values, and the context that each row's is bound to."""

    column: Column[str]
    context: Callable[[Row[Any]], str]

    @property
    def table(self) -> Table:
        """Its table."""
        return self.column.table

    @property
    def key(self) -> Column[Any]:
        """The primary key of its table."""
        (key,) = self.table.primary_key.columns
        return key


SEALED: Final = (
    Sealed(tables.account_connector.c.auth_value, lambda row: store.sealed_in(row, "auth_value")),
    Sealed(tables.account_connector.c.credentials, lambda row: store.sealed_in(row, "credentials")),
    Sealed(tables.property_value.c.value, lambda row: store.property_in(store.BesideOwner(row), row.name)),
    Sealed(tables.sign_in.c.held, lambda row: store.held_in(store.BesideOwner(row), row.token_sha256)),
    Sealed(tables.flow.c.verifier, lambda row: flows.sealed_in(row.state_sha256, row)),
    Sealed(tables.completion.c.answer, lambda row: completion.sealed_in(row.code_sha256, row)),
    Sealed(tables.pending_revocation.c.sealed_grant, noting.context_of),
)
"""Every sealed column. A test holds it to the columns that ``tables.py`` calls sealed."""


@dataclass(frozen=True)
class Report:
    """``changed`` values; ``faults`` names those that do not open; ``left`` counts all by their key's id."""

    changed: int
    faults: list[str]
    left: Counter[str]


def re_encrypt(database: Database, vault: Vault) -> Report:
    """Seal anew, in batches, what another key than the newest has sealed.

    Safe while the service runs: a value that somebody else changes meanwhile is left to them.
    """
    changed, faults = 0, []
    for sealed in SEALED:
        last: Any = None
        while rows := _old(database, vault, sealed, last):
            for row in rows:
                try:
                    changed += _renew(database, vault, sealed, row)
                except CannotOpen as error:
                    faults.append(str(error))
            last = getattr(rows[-1], sealed.key.name)
    return Report(changed, faults, _counted(database, vault))


def _old(database: Database, vault: Vault, sealed: Sealed, last: Any) -> list[Row[Any]]:
    newest = sealed.column.startswith(f"{vault.newest}.", autoescape=True)
    wanted = rows_of(sealed).where(sealed.column.is_not(None), ~newest)
    if last is not None:
        wanted = wanted.where(sealed.key > last)
    with database.reading() as connection:
        return list(connection.execute(wanted.order_by(sealed.key).limit(BATCH)))


def rows_of(sealed: Sealed) -> Select[Any]:
    """The rows of a sealed column, each with what its context is made from."""
    owner = tables.account_connector
    if not any(key.column is owner.c.id for key in sealed.table.foreign_keys):
        return select(sealed.table)
    return select(sealed.table, *store.OWNER).join_from(sealed.table, owner)


def _renew(database: Database, vault: Vault, sealed: Sealed, row: Row[Any]) -> int:
    old, context = getattr(row, sealed.column.name), sealed.context(row)
    new = vault.seal(vault.open(old, context), context)
    ours = (sealed.key == getattr(row, sealed.key.name)) & (sealed.column == old)
    with database.writing() as connection:
        changed = update(sealed.table).where(ours).values({sealed.column: new})
        return connection.execute(changed).rowcount


def _counted(database: Database, vault: Vault) -> Counter[str]:
    counts = Counter({vault.newest: 0})
    with database.reading() as connection:
        for sealed in SEALED:
            values = connection.execute(select(sealed.column).where(sealed.column.is_not(None))).scalars()
            counts.update(value.partition(".")[0] for value in values)
    return counts
