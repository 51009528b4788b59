"""What is kept of sessions: which a host has ended, and which assertions were used."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Engine, bindparam, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from bff.common.secret import fingerprint
from bff.common.ttl_cache import Kept
from bff.identity.principal import Principal
from bff.serving.database import writing
from bff.serving.statements import Read
from bff.storage.tables import ended_sessions, used_assertions

FRESH_SECONDS: Final = 2.0
"""So long may another worker still take a session that was ended."""

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
        self._ends: Kept[dict[str, datetime]] = Kept(fresh)
        self._last: Kept[datetime | None] = Kept(fresh)

    def end(self, product: str, user: str, account: str | None, before: datetime) -> None:
        """End every session of this user that began until ``before``: of one account, or of all."""
        table, who = ended_sessions.c, (product, user, account or ALL_ACCOUNTS)
        known = tuple_(table.product, table.user_id, table.account_id) == tuple_(*who)
        again = update(ended_sessions).where(known).values(ended_before=before)
        with self._writer.begin() as connection:
            if connection.execute(again).rowcount == 0:
                try:
                    with connection.begin_nested():
                        connection.execute(insert(ended_sessions).values((*who, before)))
                except IntegrityError:
                    # Another worker has written the same row meanwhile.
                    connection.execute(again)
        self._ends.forget(_key(product, user))
        self._last.clear()

    def end_all(self, before: datetime) -> None:
        """End every session that began until ``before``, of everybody."""
        self.end(EVERYBODY, EVERYBODY, None, before)

    def is_forgotten(self, issued_at: datetime) -> bool:
        """Whether everybody's sessions that began then have been ended."""
        last = self._last.get("", lambda _: self._read_last())
        if last is None or last < issued_at:
            return False
        everybody = self._ends_for(EVERYBODY, EVERYBODY).get(ALL_ACCOUNTS)
        return everybody is not None and issued_at <= everybody

    def is_ended(self, principal: Principal, issued_at: datetime) -> bool:
        """Whether a session of this principal that began then has been ended.

        Nobody's has who came after the last end of any: that one moment serves all users at once.
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
    """Which assertions were used: each is taken once, by whichever worker comes first."""

    def __init__(self, engine: Engine) -> None:
        self._writer = writing(engine)

    def use(self, issuer: str, jti: str, until: datetime) -> bool:
        """Whether this is the first use. ``until`` then the assertion could be used, so long it is kept."""
        row = {"sha256": _key(issuer, jti), "until": until}
        try:
            with self._writer.begin() as connection:
                connection.execute(insert(used_assertions).values(row))
        except IntegrityError:
            return False
        return True


def _key(*parts: str) -> str:
    # Lengths stand before the parts, so that no two lists of parts read the same.
    return fingerprint("".join(f"{len(part)}:{part}" for part in parts))
