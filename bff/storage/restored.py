"""Cleans the database up after a restore from a backup.

A restored database does not know which one-time values were used, and which sessions ended, since the backup.
They must not become valid again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Engine, delete, update

from bff.serving.database import writing
from bff.storage.tables import attempts, studio_invites, studio_sessions, upstream_tokens

UNSETTLED: Final = ("created", "launched")


def invalidate(engine: Engine, now: datetime) -> dict[str, int]:
    """End all unsettled attempts, Studio sessions and unused invites, and delete cached access tokens.

    Returns counts by a description. Safe to repeat, and while the programs run. Users' sessions are ended by
    ``DatabaseSessionEnds.end_all``.
    """
    table = attempts.c
    expired = {"status": "expired", "error_code": "expired", "settled_at": now}
    unused = studio_invites.c.used_at.is_(None)
    with writing(engine).begin() as connection:
        return {
            "attempts ended": connection.execute(
                update(attempts).where(table.status.in_(UNSETTLED)).values(expired)
            ).rowcount,
            "Studio sessions ended": connection.execute(delete(studio_sessions)).rowcount,
            "Studio invites ended": connection.execute(
                update(studio_invites).where(unused).values(used_at=now)
            ).rowcount,
            "access tokens forgotten": connection.execute(delete(upstream_tokens)).rowcount,
        }
