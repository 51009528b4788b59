"""Cleans the database up after a restore from a backup.

A restored database does not know which one-time values were used, and which sessions ended, since the backup.
They must not become valid again.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, delete, update

from bff.serving.database import writing
from bff.storage.tables import studio_invites, studio_sessions, upstream_tokens


def invalidate(engine: Engine, now: datetime) -> dict[str, int]:
    """End all Studio sessions and unused invites, and delete cached access tokens.

    Returns counts by a description. Safe to repeat, and while the programs run. Users' sessions are ended by
    ``DatabaseSessionEnds.end_all``, attempts by ``connect.restored.end_live``.
    """
    unused = studio_invites.c.used_at.is_(None)
    with writing(engine).begin() as connection:
        return {
            "Studio sessions ended": connection.execute(delete(studio_sessions)).rowcount,
            "Studio invites ended": connection.execute(
                update(studio_invites).where(unused).values(used_at=now)
            ).rowcount,
            "access tokens forgotten": connection.execute(delete(upstream_tokens)).rowcount,
        }
