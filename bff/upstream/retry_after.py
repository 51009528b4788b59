"""The pause that the partner service asks for (``Retry-After``, RFC 9110, section 10.2.3)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

import structlog
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import SQLAlchemyError

from bff.identity.sessions import CLOCK_TOLERANCE
from bff.serving.database import writing
from bff.serving.retry_after import LONGEST
from bff.storage.tables import upstream_tokens

BELIEVED: Final = LONGEST + CLOCK_TOLERANCE.total_seconds()
"""Seconds. A longer pause was stored by a wrong clock, and counts as none."""
LOOK_AGAIN: Final = 0.5
"""Seconds between two reads of the pause that other workers have stored."""

log = structlog.get_logger("hitchpost.partner")


class Shared(Protocol):
    """The pause (``Retry-After``) that workers share, in seconds since the epoch."""

    def read(self) -> float:
        """When workers may call again; 0 for at once."""

    def write(self, until: float) -> None:
        """Store when workers may call again."""


class Quiet:
    """Until when no worker polls: the pause that this worker received, or a longer one in ``shared``.

    ``clock``, in seconds since the epoch, must be the same for all who share. Their access token ends by it,
    too.
    """

    def __init__(self, shared: Shared | None = None, clock: Callable[[], float] = time.time) -> None:
        self._shared = shared
        self.clock = clock
        self._lock = threading.Lock()
        self._until = 0.0
        self._looked_at = 0.0

    def ask_for(self, seconds: float) -> None:
        """The partner service sent ``Retry-After``, in seconds."""
        now = self.clock()
        until = now + seconds
        with self._lock:
            before = _believed(self._until, now)
            news, self._until = until > before, max(until, before)
        if news and self._shared:
            self._shared.write(until)

    def left(self) -> float:
        """Seconds left of the pause; 0 or less for none."""
        now = self.clock()
        with self._lock:
            self._until = _believed(self._until, now)
            if self._until > now or self._shared is None or 0 <= now - self._looked_at < LOOK_AGAIN:
                return self._until - now
            self._looked_at = now
        until = _believed(self._shared.read(), now)
        with self._lock:
            self._until = max(self._until, until)
            return self._until - now


def _believed(until: float, now: float) -> float:
    return until if until - now <= BELIEVED else 0.0


class DatabaseQuiet:
    """Implements ``Shared``, beside the access token of this credential (its SHA-256)."""

    def __init__(self, engine: Engine, credential_sha256: str) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._ours = upstream_tokens.c.credential == credential_sha256

    def read(self) -> float:
        """0 while the database is away, too."""
        try:
            with self._engine.connect() as connection:
                until = connection.execute(select(upstream_tokens.c.quiet_until).where(self._ours)).scalar()
        except SQLAlchemyError as error:
            log.warning("wait not shared", error=type(error).__name__)
            return 0.0
        return until.timestamp() if until else 0.0

    def write(self, until: float) -> None:
        """Store the pause; not before the first access token, since the row is that of the token."""
        values = {"quiet_until": datetime.fromtimestamp(until, UTC)}
        try:
            with self._writer.begin() as connection:
                connection.execute(update(upstream_tokens).where(self._ours).values(values))
        except SQLAlchemyError as error:
            log.warning("wait not shared", error=type(error).__name__)
