"""Which product each account at the partner service belongs to, in the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from bff.common.secret import fingerprint
from bff.serving.database import writing
from bff.storage.tables import account_owners
from bff.upstream.accounts import fold
from bff.upstream.protocol import Owner


class DatabaseAccountOwners:
    """Implements ``AccountOwners``. A row is written once and never changed: of many at once one is first."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = writing(engine)

    def of(self, names: Sequence[str]) -> dict[str, Owner]:
        """Who owns each of ``names``."""
        table, keys = account_owners, {name: _key(name) for name in names}
        wanted = select(table).where(table.c.name_sha256.in_(keys.values()))
        with self._engine.connect() as connection:
            rows = {row.name_sha256: row for row in connection.execute(wanted)}
        found = ((name, rows[key]) for name, key in keys.items() if key in rows)
        return {name: Owner(row.product, row.account_id) for name, row in found}

    def claim(self, name: str, owner: Owner) -> bool:
        """Give it to ``owner``, unless somebody owns it already."""
        row = {"name_sha256": _key(name), "product": owner.product, "account_id": owner.account}
        try:
            with self._writer.begin() as connection:
                connection.execute(insert(account_owners).values(row))
        except IntegrityError:
            return False
        return True


def _key(name: str) -> str:
    return fingerprint(fold(name))
