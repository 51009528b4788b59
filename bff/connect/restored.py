"""Ends the attempts of a database that was restored from a backup."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Engine, select

from bff.connect.attempt import LIVE, AttemptChanges, Status
from bff.connect.attempt_rows import from_row
from bff.connect.store import DatabaseAttempts
from bff.storage.tables import attempts

BATCH: Final = 500
"""Attempts that are read at a time."""


def end_live(engine: Engine, now: datetime) -> int:
    """End all live attempts as expired, each with its event; return how many.

    Their sign-ins may have succeeded since the backup: those that were launched are checked as soon as the
    programs run, so that a late success is reported. Safe to repeat, and while the programs run.
    """
    store, ended = DatabaseAttempts(engine), 0
    live = select(attempts).where(attempts.c.status.in_(sorted(LIVE))).limit(BATCH)
    expired: AttemptChanges = {"status": Status.EXPIRED, "error_code": "expired", "settled_at": now}
    while True:
        with engine.connect() as connection:
            found = [from_row(row) for row in connection.execute(live)]
        if not found:
            return ended
        for attempt in found:
            recheck_at = None if attempt.account_connector_id is None else now
            ended += store.transition(attempt.id, LIVE, {**expired, "recheck_at": recheck_at}) is not None
