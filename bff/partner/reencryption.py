"""Re-encrypts sealed values with the newest key, so that an old key can be removed."""

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
    """A column with sealed values. ``context`` computes the associated data of a row's value."""

    column: Column[str]
    context: Callable[[Row[Any]], str]

    @property
    def table(self) -> Table:
        """The table of the column."""
        return self.column.table

    @property
    def key(self) -> Column[Any]:
        """The primary key of the table."""
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
"""All sealed columns. A test compares them with the columns marked ``# sealed`` in ``tables.py``."""


@dataclass(frozen=True)
class Report:
    """Result: number of ``changed`` values, ``faults`` of undecryptable ones, count ``left`` by key id."""

    changed: int
    faults: list[str]
    left: Counter[str]


def re_encrypt(database: Database, vault: Vault) -> Report:
    """Re-encrypt, in batches, the values that are not sealed with the newest key.

    Safe while the service runs: a value that changes in the meantime is not overwritten.
    """
    changed, faults = 0, []
    for sealed in SEALED:
        last: Any = None
        while rows := _next_batch(database, vault, sealed, last):
            for row in rows:
                try:
                    changed += _reseal(database, vault, sealed, row)
                except CannotOpen as error:
                    faults.append(str(error))
            last = getattr(rows[-1], sealed.key.name)
    return Report(changed, faults, _counted(database, vault))


def _next_batch(database: Database, vault: Vault, sealed: Sealed, last: Any) -> list[Row[Any]]:
    newest = sealed.column.startswith(f"{vault.newest}.", autoescape=True)
    query = rows_of(sealed).where(sealed.column.is_not(None), ~newest)
    if last is not None:
        query = query.where(sealed.key > last)
    with database.reading() as connection:
        return list(connection.execute(query.order_by(sealed.key).limit(BATCH)))


def rows_of(sealed: Sealed) -> Select[Any]:
    """Select the rows of a sealed column, with the columns that its context needs."""
    owner = tables.account_connector
    if not any(key.column is owner.c.id for key in sealed.table.foreign_keys):
        return select(sealed.table)
    return select(sealed.table, *store.OWNER).join_from(sealed.table, owner)


def _reseal(database: Database, vault: Vault, sealed: Sealed, row: Row[Any]) -> int:
    old, context = getattr(row, sealed.column.name), sealed.context(row)
    new = vault.seal(vault.open(old, context), context)
    unchanged = (sealed.key == getattr(row, sealed.key.name)) & (sealed.column == old)
    with database.writing() as connection:
        changed = update(sealed.table).where(unchanged).values({sealed.column: new})
        return connection.execute(changed).rowcount


def _counted(database: Database, vault: Vault) -> Counter[str]:
    counts = Counter({vault.newest: 0})
    with database.reading() as connection:
        for sealed in SEALED:
            values = connection.execute(select(sealed.column).where(sealed.column.is_not(None))).scalars()
            counts.update(value.partition(".")[0] for value in values)
    return counts
