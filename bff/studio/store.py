"""Studio invites and sessions in the database. Tokens and session ids are stored as SHA-256 only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from bff.common.errors import NotFound
from bff.common.secret import Secret, fingerprint
from bff.serving.database import writing
from bff.storage.tables import products, studio_invites, studio_sessions
from bff.studio.access import IDLE_LIFE, INVITE_LIFE, LONGEST_LIFE, Invite, Role, StudioSession

SEEN_EVERY: Final = timedelta(minutes=1)
"""Least time between two updates of a session's last use."""


@dataclass(frozen=True)
class Ended:
    """The numbers of sessions and of unused invites that were ended."""

    sessions: int
    invites: int


class DatabaseStudio:
    """Implements ``StudioStore``, and creates invites. ``random_token`` returns at least 256 random bits."""

    def __init__(
        self, engine: Engine, clock: Callable[[], datetime], random_token: Callable[[], str]
    ) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._clock = clock
        self._random_token = random_token

    def invite(self, product: str, email: str, role: Role) -> Secret:
        """Create an invite. Returns its token, of which only a hash is stored. Raises ``NotFound``."""
        token, now = Secret(self._random_token()), self._clock()
        row: dict[str, Any] = {"product_key": product, "email": email, "role": role.value}
        with self._writer.begin() as connection:
            known = select(products.c.key).where(products.c.key == product)
            if connection.execute(known).first() is None:
                raise NotFound(f"there is no product {product!r}")
            row |= {"token_sha256": fingerprint(token.reveal()), "expires_at": now + INVITE_LIFE}
            connection.execute(insert(studio_invites).values(row))
        return token

    def find_invite(self, token: Secret) -> Invite | None:
        """The invite with this token, also if it was used or has expired."""
        wanted = select(studio_invites).where(studio_invites.c.token_sha256 == fingerprint(token.reveal()))
        with self._engine.connect() as connection:
            row = connection.execute(wanted).one_or_none()
        return _invite(row) if row else None

    def sign_in(self, token: Secret) -> tuple[Secret, StudioSession] | None:
        """Use an invite. Returns the new session's id and the session; None if it was used or has expired."""
        table, now, digest = studio_invites.c, self._clock(), fingerprint(token.reveal())
        unused = (table.token_sha256 == digest, table.used_at.is_(None), table.expires_at > now)
        with self._writer.begin() as connection:
            used = connection.execute(update(studio_invites).where(*unused).values(used_at=now))
            if used.rowcount != 1:
                return None
            row = connection.execute(select(studio_invites).where(table.token_sha256 == digest)).one()
            return self._begin(connection, _invite(row), now)

    def session(self, session_id: Secret, *, active: bool = True) -> StudioSession | None:
        """The session with this id, unless it has expired. ``active`` restarts its idle time."""
        table, now = studio_sessions.c, self._clock()
        wanted = table.id_sha256 == fingerprint(session_id.reveal())
        with self._engine.connect() as connection:
            row = connection.execute(select(studio_sessions).where(wanted)).one_or_none()
        if row is None or now >= row.expires_at or now - row.seen_at > IDLE_LIFE:
            return None
        if active and now - row.seen_at > SEEN_EVERY:
            with self._writer.begin() as connection:
                connection.execute(update(studio_sessions).where(wanted).values(seen_at=now))
        return StudioSession(row.product_key, row.email, Role(row.role), row.csrf)

    def sign_out(self, session_id: Secret) -> None:
        """End the session."""
        digest = fingerprint(session_id.reveal())
        with self._writer.begin() as connection:
            connection.execute(delete(studio_sessions).where(studio_sessions.c.id_sha256 == digest))

    def end_sessions(self, email: str) -> Ended | None:
        """End every session of a person and void their unused invites. None if nobody has this address.

        Small and capital letters are the same, as mail providers hold it.
        """
        theirs = _is_of(studio_invites.c.email, email)
        unused = theirs & studio_invites.c.used_at.is_(None)
        with self._writer.begin() as connection:
            sessions = connection.execute(
                delete(studio_sessions).where(_is_of(studio_sessions.c.email, email))
            ).rowcount
            invites = connection.execute(
                update(studio_invites).where(unused).values(used_at=self._clock())
            ).rowcount
            known = select(studio_invites.c.email).where(theirs).limit(1)
            if not sessions and connection.execute(known).first() is None:
                return None
        return Ended(sessions, invites)

    def _begin(self, connection: Connection, invite: Invite, now: datetime) -> tuple[Secret, StudioSession]:
        session_id, csrf = Secret(self._random_token()), self._random_token()
        row = {
            "id_sha256": fingerprint(session_id.reveal()),
            "product_key": invite.product,
            "email": invite.email,
            "role": invite.role.value,
            "csrf": csrf,
            "seen_at": now,
            "expires_at": now + LONGEST_LIFE,
        }
        connection.execute(insert(studio_sessions).values(row))
        return session_id, StudioSession(invite.product, invite.email, invite.role, csrf)


def _invite(row: Any) -> Invite:
    return Invite(row.product_key, row.email, Role(row.role), row.expires_at, row.used_at)


def _is_of(column: Column[Any], email: str) -> ColumnElement[bool]:
    # The database's lower() may know ASCII only.
    wanted = email.strip()
    return or_(column == wanted, func.lower(column) == wanted.lower())
