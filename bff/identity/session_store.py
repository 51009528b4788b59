"""Database tables of ended sessions and used assertions. Session tokens themselves are not stored."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Engine, bindparam, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from bff.common.secret import fingerprint
from bff.common.ttl_cache import TtlCache
from bff.identity.principal import Principal
from bff.serving.database import writing
from bff.serving.statements import Read
from bff.storage.tables import ended_sessions, used_assertions

FRESH_SECONDS: Final = 2.0
"""How long another worker may still accept a session that was ended: the lifetime of its cache."""

ALL_ACCOUNTS: Final = ""
"""In place of an account's id, which is never empty."""
EVERYBODY: Final = ""
"""In place of a product's key and a user's id, which are never empty either."""


_ENDS_OF: Final = select(ended_sessions.c.account_id, ended_sessions.c.ended_before).where(
    ended_sessions.c.product == bindparam("product"), ended_sessions.c.user_id == bindparam("user")
)
_LAST: Final = select(func.max(ended_sessions.c.ended_before))


class DatabaseSessionEnds:
    """Implements ``SessionEnds``."""

    def __init__(self, engine: Engine, *, fresh: float = FRESH_SECONDS) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._ends_of = Read(engine, _ENDS_OF)
        self._last_end = Read(engine, _LAST)
        self._ends: TtlCache[dict[str, datetime]] = TtlCache(fresh)
        self._last: TtlCache[datetime | None] = TtlCache(fresh)

    def end(self, product: str, user: str, account: str | None, before: datetime) -> None:
        """End this user's sessions issued at or before ``before``: in one account, or in all for None."""
        table, key = ended_sessions.c, (product, user, account or ALL_ACCOUNTS)
        existing = tuple_(table.product, table.user_id, table.account_id) == tuple_(*key)
        change = update(ended_sessions).where(existing).values(ended_before=before)
        with self._writer.begin() as connection:
            if connection.execute(change).rowcount == 0:
                try:
                    with connection.begin_nested():
                        connection.execute(insert(ended_sessions).values((*key, before)))
                except IntegrityError:
                    # Another worker has inserted the row meanwhile.
                    connection.execute(change)
        self._ends.forget(_key(product, user))
        self._last.clear()

    def end_all(self, before: datetime) -> None:
        """End all sessions of all users issued at or before ``before``."""
        self.end(EVERYBODY, EVERYBODY, None, before)

    def is_forgotten(self, issued_at: datetime) -> bool:
        """Whether ``end_all`` has ended the sessions issued at ``issued_at``."""
        last = self._last.get("", lambda _: self._read_last())
        if last is None or last < issued_at:
            return False
        everybody = self._ends_for(EVERYBODY, EVERYBODY).get(ALL_ACCOUNTS)
        return everybody is not None and issued_at <= everybody

    def is_ended(self, principal: Principal, issued_at: datetime) -> bool:
        """Whether this principal's session issued at ``issued_at`` has been ended.

        A session issued after the last end of any session cannot be, so most calls read that one cached time.
        """
        last = self._last.get("", lambda _: self._read_last())
        if last is None or last < issued_at:
            return False
        if self.is_forgotten(issued_at):
            return True
        ends = self._ends_for(principal.product, principal.user.id)
        mine = (ends[account] for account in (ALL_ACCOUNTS, principal.account.id) if account in ends)
        return any(issued_at <= ended_before for ended_before in mine)

    def _ends_for(self, product: str, user: str) -> dict[str, datetime]:
        return self._ends.get(
            _key(product, user), lambda _: dict(self._ends_of.all(product=product, user=user))
        )

    def _read_last(self) -> datetime | None:
        row = self._last_end.one()
        return row[0] if row else None


class UsedAssertions:
    """Records used assertions, so that each is accepted once, whichever worker gets it."""

    def __init__(self, engine: Engine) -> None:
        self._writer = writing(engine)

    def use(self, issuer: str, jti: str, until: datetime) -> bool:
        """Record a use. Returns False if it was used before. The record is kept ``until`` it has expired."""
        row = {"sha256": _key(issuer, jti), "until": until}
        try:
            with self._writer.begin() as connection:
                connection.execute(insert(used_assertions).values(row))
        except IntegrityError:
            return False
        return True


def _key(*parts: str) -> str:
    # Length prefixes, so that two different lists of parts never give the same text.
    return fingerprint("".join(f"{len(part)}:{part}" for part in parts))
