"""Remembers the ``Idempotency-Key`` of disconnects, so that a repeated one is answered as the first.

A caller repeats a call whose answer was lost. The connection has ended by then, which is no failure; or it
has been made anew since, and must not be ended again.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from bff.common.secret import fingerprint
from bff.connections.connection import moment
from bff.identity.principal import AccountRef
from bff.serving.database import writing
from bff.storage.tables import disconnect_keys


class DisconnectKeys:
    """The keys of disconnects, by account, connection and caller."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._clock = clock

    def of(self, account: AccountRef, connection: str, caller: str, key: str) -> DisconnectKey:
        """The key of a call by which ``caller`` ends this connection."""
        return DisconnectKey(self, (account.product, account.id, connection, caller, key))

    def store(self, sha256: str) -> None:
        """Store a hash, unless it is stored already."""
        with contextlib.suppress(IntegrityError), self._writer.begin() as database:
            database.execute(insert(disconnect_keys).values(key_sha256=sha256, at=self._clock()))

    def has(self, sha256: str) -> bool:
        """Whether this hash is stored."""
        wanted = select(disconnect_keys.c.at).where(disconnect_keys.c.key_sha256 == sha256)
        with self._engine.connect() as database:
            return database.execute(wanted).first() is not None


class DisconnectKey:
    """One key: whether the call was begun, and whether it has ended the connection."""

    def __init__(self, keys: DisconnectKeys, parts: tuple[str, ...]) -> None:
        self._keys = keys
        self._parts = parts
        self._begun, self._done = self._hash("begun"), self._hash("done")

    def begin(self, connected_at: datetime | None) -> None:
        """Store that the call is about to end what was connected at this time."""
        self._keys.store(self._begun)
        self._keys.store(self._hash("begun", moment(connected_at)))

    def finish(self) -> None:
        """Store that the call has ended it."""
        self._keys.store(self._done)

    def is_target_gone(self, connected_at: datetime | None) -> bool:
        """Whether what the call began to end is gone: what is there now was connected at another time."""
        return self.has_begun and not self._keys.has(self._hash("begun", moment(connected_at)))

    @property
    def has_begun(self) -> bool:
        """Whether the call has ended the connection, or tried to."""
        return self._keys.has(self._begun)

    @property
    def is_done(self) -> bool:
        """Whether the call has ended the connection."""
        return self._keys.has(self._done)

    def _hash(self, *step: str | None) -> str:
        return fingerprint(json.dumps([*self._parts, *step]))
