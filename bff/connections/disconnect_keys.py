"""Remembers the ``Idempotency-Key`` of disconnects, so that a repeated one is answered as the first.

A browser repeats a call whose answer was lost. The connection has ended by then, which is no failure.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from bff.common.secret import fingerprint
from bff.identity.principal import AccountRef
from bff.serving.database import writing
from bff.storage.tables import disconnect_keys


class DisconnectKeys:
    """The keys of disconnects, by account, connection and caller."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._clock = clock

    def note(self, account: AccountRef, connection: str, caller: str, key: str) -> None:
        """Store that ``caller`` ends this existing connection with this key."""
        row = {"key_sha256": _hash(account, connection, caller, key), "at": self._clock()}
        with contextlib.suppress(IntegrityError), self._writer.begin() as database:
            database.execute(insert(disconnect_keys).values(row))

    def has(self, account: AccountRef, connection: str, caller: str, key: str) -> bool:
        """Whether ``caller`` has ended, or tried to end, this connection with this key."""
        wanted = select(disconnect_keys.c.at).where(
            disconnect_keys.c.key_sha256 == _hash(account, connection, caller, key)
        )
        with self._engine.connect() as database:
            return database.execute(wanted).first() is not None


def _hash(account: AccountRef, connection: str, caller: str, key: str) -> str:
    return fingerprint(json.dumps([account.product, account.id, connection, caller, key]))
