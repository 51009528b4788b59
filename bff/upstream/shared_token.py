"""One access token for all workers and machines: in the database, sealed, fetched by one at a time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Engine, insert, or_, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from bff.common.errors import PartnerUnavailable
from bff.common.secret import Secret
from bff.identity.sessions import CLOCK_TOLERANCE
from bff.serving.database import writing
from bff.storage.sealing import CannotOpen, Place, Sealing
from bff.storage.tables import upstream_tokens
from bff.upstream.access_tokens import AccessToken, TokenSource

LEASE: Final = timedelta(seconds=20)
"""A worker that dies while it fetches holds the others up for no longer. A later end is a wrong clock's."""
PATIENCE: Final = 5.0
"""Seconds that a worker waits for another's token; then it fetches its own (several may be valid at once)."""
LOOK_AGAIN: Final = 0.1

log = structlog.get_logger("hitchpost.partner")


class SharedToken:
    """Implements ``TokenSource``: the token in the database, or a new one from ``source``, for all workers.

    ``credential`` names the upstream and the client id. Without its database it only asks ``source``.
    ``clock``, in seconds since the epoch, must be that of ``source``, and the same for all who share.
    """

    def __init__(
        self,
        source: TokenSource,
        engine: Engine,
        sealing: Sealing,
        credential: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._engine = engine
        self._writer = writing(engine)
        self._sealing = sealing
        self._credential = hashlib.sha256(credential.encode()).hexdigest()
        self._place = Place("upstream_tokens", self._credential, "sealed")
        self._ours = upstream_tokens.c.credential == self._credential
        self._clock = clock

    def obtain(self, unlike: Collection[Secret], *, patient: bool) -> AccessToken:
        """The token that is kept, or a new one. Raises ``PartnerUnavailable``."""
        try:
            kept = self._wait_for_turn(unlike, patient=patient)
        except SQLAlchemyError as error:
            log.warning("access token not shared", error=type(error).__name__)
            return self._source.obtain(unlike, patient=patient)
        return kept or self._fetch(unlike)

    def _wait_for_turn(self, unlike: Collection[Secret], *, patient: bool) -> AccessToken | None:
        """The kept token, or None when it is this worker's turn to fetch one."""
        deadline = time.monotonic() + PATIENCE
        while (kept := self._read(unlike)) is None:
            if self._claim():
                if kept := self._read(unlike):  # Another worker was quicker, between the two.
                    self._set(leased_until=None)
                return kept
            if not patient:
                raise PartnerUnavailable("another worker is getting a new access token")
            if time.monotonic() > deadline:
                return None
            # house-allow: sleep: another process stores the token in a row, and sends no signal
            time.sleep(LOOK_AGAIN)
        return kept

    def _fetch(self, unlike: Collection[Secret]) -> AccessToken:
        values: dict[str, Any] = {"leased_until": None}
        try:
            token = self._source.obtain(unlike, patient=True)
            values["sealed"] = self._seal(token)
        finally:
            # A failure is not kept: the next worker may try.
            with contextlib.suppress(SQLAlchemyError):
                self._set(**values)
        return token

    def _read(self, unlike: Collection[Secret]) -> AccessToken | None:
        with self._engine.connect() as connection:
            sealed = connection.execute(select(upstream_tokens.c.sealed).where(self._ours)).scalar()
        if sealed is None:
            return None
        try:
            kept = json.loads(self._sealing.open(sealed, self._place).reveal())
        except CannotOpen:
            # Sealed with a key that is gone, or tampered with: either way a new one takes its place.
            return None
        now = self._clock()
        token = AccessToken(Secret(kept["value"]), kept["life"], min(kept["ends_at"], now + kept["life"]))
        return token if token.value not in unlike and now < token.renew_at(0) else None

    def _seal(self, token: AccessToken) -> str:
        document = {"value": token.value.reveal(), "life": token.life, "ends_at": token.ends_at}
        return self._sealing.seal(Secret(json.dumps(document)), self._place)

    def _claim(self) -> bool:
        """Claim the fetch; of concurrent workers one gets True."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        leased_until = upstream_tokens.c.leased_until
        free = or_(leased_until.is_(None), leased_until <= now, leased_until > now + LEASE + CLOCK_TOLERANCE)
        lease = update(upstream_tokens).where(self._ours, free).values(leased_until=now + LEASE)
        with self._writer.begin() as connection:
            if connection.execute(lease).rowcount == 1:
                return True
            if connection.execute(select(upstream_tokens.c.credential).where(self._ours)).first():
                return False
        first = {"credential": self._credential, "leased_until": now + LEASE}
        with contextlib.suppress(IntegrityError), self._writer.begin() as connection:
            connection.execute(insert(upstream_tokens).values(first))
            return True
        return False

    def _set(self, **values: Any) -> None:
        with self._writer.begin() as connection:
            connection.execute(update(upstream_tokens).where(self._ours).values(**values))
