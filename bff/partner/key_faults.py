"""Checks that the configured encryption keys are those that the stored values were sealed with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Row, not_, or_, select

from bff.partner.crypto import CannotOpen, Vault
from bff.partner.reencryption import SEALED, Sealed, rows_of
from bff.partner.storage.database import Database

SETTING: Final = "HITCHPOST_EMBEDDED_ENCRYPTION_KEYS"
SAMPLE: Final = 10
"""Number of values that are decrypted for each column and key."""


def foreign_keys(database: Database, vault: Vault) -> list[str]:
    """List the keys that stored values need and that are missing or differ under the same id.

    Detects at startup that a key was replaced without re-encryption, before a user's connection fails. A key
    counts as different only if no value of a sample decrypts: a single one may have been tampered with.
    Raises ``SQLAlchemyError``.
    """
    missing = {key for sealed in SEALED for key in _missing_ids(database, vault, sealed)}
    lines = [
        f"{SETTING}: stored credentials are sealed with key {key!r}, which is not here; put it back behind"
        " the new one, and seal everything anew: hitchpost partner keys re-encrypt"
        for key in sorted(missing)
    ]
    return lines + [
        f"{SETTING}: key {key!r} is not the one that stored credentials were sealed with; put that one back,"
        " and give the new one an id of its own"
        for key in vault.ids
        if _differs(database, vault, key)
    ]


def _missing_ids(database: Database, vault: Vault, sealed: Sealed) -> Iterator[str]:
    configured = or_(*(sealed.column.startswith(f"{key}.", autoescape=True) for key in vault.ids))
    query = select(sealed.column).where(sealed.column.is_not(None), not_(configured)).limit(1)
    with database.reading() as connection:
        for value in connection.execute(query).scalars():
            yield value.partition(".")[0]


def _differs(database: Database, vault: Vault, key: str) -> bool:
    """Whether there are values sealed with this key id, and none of a sample decrypts."""
    opened = [is_open for sealed in SEALED for is_open in _sample_opens(database, vault, sealed, key)]
    return bool(opened) and not any(opened)


def _sample_opens(database: Database, vault: Vault, sealed: Sealed, key: str) -> Iterator[bool]:
    query = rows_of(sealed).where(sealed.column.startswith(f"{key}.", autoescape=True)).limit(SAMPLE)
    with database.reading() as connection:
        rows: list[Row[Any]] = list(connection.execute(query))
    for row in rows:
        try:
            vault.open(getattr(row, sealed.column.name), sealed.context(row))
        except CannotOpen:
            yield False
        else:
            yield True
