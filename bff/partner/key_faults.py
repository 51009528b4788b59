"""Whether the configured encryption keys are those that the stored values were sealed with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Row, not_, or_, select

from bff.partner.crypto import CannotOpen, Vault
from bff.partner.reencryption import SEALED, Sealed, rows_of
from bff.partner.storage.database import Database

SETTING: Final = "HITCHPOST_EMBEDDED_ENCRYPTION_KEYS"
SAMPLE: Final = 10
"""Values of each column that are opened with each key."""


def foreign_keys(database: Database, vault: Vault) -> list[str]:
    """A line for each key that sealed something here and is not configured, or is another key by that name.

    So a key that was replaced without sealing anew shows at once, and not by the first user whose connection
    cannot be used. One value that does not open is no proof: it may have been tampered with. Raises
    ``SQLAlchemyError``.
    """
    gone = {key for sealed in SEALED for key in _gone(database, vault, sealed)}
    lines = [
        f"{SETTING}: stored credentials are sealed with key {key!r}, which is not here; put it back behind"
        " the new one, and seal everything anew: hitchpost partner keys re-encrypt"
        for key in sorted(gone)
    ]
    return lines + [
        f"{SETTING}: key {key!r} is not the one that stored credentials were sealed with; put that one back,"
        " and give the new one an id of its own"
        for key in vault.ids
        if _is_another(database, vault, key)
    ]


def _gone(database: Database, vault: Vault, sealed: Sealed) -> Iterator[str]:
    known = or_(*(sealed.column.startswith(f"{key}.", autoescape=True) for key in vault.ids))
    wanted = select(sealed.column).where(sealed.column.is_not(None), not_(known)).limit(1)
    with database.reading() as connection:
        for value in connection.execute(wanted).scalars():
            yield value.partition(".")[0]


def _is_another(database: Database, vault: Vault, key: str) -> bool:
    """Whether something was sealed by this name, and none of a sample opens."""
    opened = [is_open for sealed in SEALED for is_open in _tried(database, vault, sealed, key)]
    return bool(opened) and not any(opened)


def _tried(database: Database, vault: Vault, sealed: Sealed, key: str) -> Iterator[bool]:
    wanted = rows_of(sealed).where(sealed.column.startswith(f"{key}.", autoescape=True)).limit(SAMPLE)
    with database.reading() as connection:
        rows: list[Row[Any]] = list(connection.execute(wanted))
    for row in rows:
        try:
            vault.open(getattr(row, sealed.column.name), sealed.context(row))
        except CannotOpen:
            yield False
        else:
            yield True
