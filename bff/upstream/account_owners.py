"""Which product each account at the partner service belongs to, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from bff.common.secret import fingerprint
from bff.serving.statements import Change, Read
from bff.storage.tables import account_owners
from bff.upstream.accounts import fold
from bff.upstream.protocol import Owner


class DatabaseAccountOwners:
    """Implements ``AccountOwners``. A row is written once and never changed: of many at once one is first."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        row: dict[str, Any] = {column.key: bindparam(column.key) for column in account_owners.c}
        self._claim = Change(engine, insert(account_owners).values(row).returning(account_owners.c.product))
        ours = select(account_owners.c.product).where(account_owners.c.account_id == bindparam("account"))
        self._any = Read(engine, ours.limit(1))
        # Each waiting page asks this once before its account has connected anything: a tenth of its question.
        self._reads: dict[int, Read] = {}

    def of(self, names: Sequence[str]) -> dict[str, Owner]:
        """Who owns each of ``names``."""
        keys = {name: _key(name) for name in names}
        found = self._read(len(keys)).all(**{f"key_{place}": key for place, key in enumerate(keys.values())})
        owners = {key: Owner(product, account) for key, product, account in found}
        return {name: owners[key] for name, key in keys.items() if key in owners}

    def _read(self, count: int) -> Read:
        """The question for so many names; a product that shares its accounts with others has a few more."""
        if (known := self._reads.get(count)) is None:
            table = account_owners.c
            keys: list[Any] = [bindparam(f"key_{place}") for place in range(count)]
            query = select(table.name_sha256, table.product, table.account_id)
            known = self._reads[count] = Read(self._engine, query.where(table.name_sha256.in_(keys)))
        return known

    def has_any(self, account: str) -> bool:
        """Whether any product owns an account of this id of a host, spelled like this."""
        return bool(self._any.all(account=account))

    def claim(self, name: str, owner: Owner) -> bool:
        """Give it to ``owner``, unless somebody owns it already."""
        row = {"name_sha256": _key(name), "product": owner.product, "account_id": owner.account}
        try:
            self._claim.make(row)
        except IntegrityError:
            return False
        return True


def _key(name: str) -> str:
    return fingerprint(fold(name))
