"""After a restore: nothing that was used or ended since the backup may be good again."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Engine, delete, update

from bff.serving.database import writing
from bff.storage.tables import attempts, studio_invites, studio_sessions, upstream_tokens

LIVE: Final = ("created", "launched")


def void(engine: Engine, now: datetime) -> dict[str, int]:
    """End whatever may have been used or ended since the backup, of which the database knows nothing.

    How many of each, in words. Safe to repeat, and while programs run. Sessions of users are ended by
    ``DatabaseSessionEnds.end_all``.
    """
    table = attempts.c
    over = {"status": "expired", "error_code": "expired", "settled_at": now}
    unused = studio_invites.c.used_at.is_(None)
    with writing(engine).begin() as connection:
        return {
            "attempts ended": connection.execute(
                update(attempts).where(table.status.in_(LIVE)).values(over)
            ).rowcount,
            "Studio sessions ended": connection.execute(delete(studio_sessions)).rowcount,
            "Studio invites ended": connection.execute(
                update(studio_invites).where(unused).values(used_at=now)
            ).rowcount,
            "access tokens forgotten": connection.execute(delete(upstream_tokens)).rowcount,
        }
