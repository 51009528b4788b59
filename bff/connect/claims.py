"""Claims of attempts in the database: one process at a time polls an attempt, launches it, looks back."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Engine, bindparam, or_, update

from bff.connect.poll_schedule import PollPermit
from bff.serving.statements import Change
from bff.storage.tables import attempts

_columns: Final = attempts.c
_UNCLAIMED: Final = or_(_columns.claimed_until.is_(None), _columns.claimed_until <= bindparam("now"))
_POLL: Final = (
    update(attempts)
    .where(
        _columns.id == bindparam("attempt_id"),
        _columns.polls < bindparam("most"),
        or_(_columns.polled_at.is_(None), _columns.polled_at <= bindparam("not_since")),
        _UNCLAIMED,
    )
    .values(polled_at=bindparam("now"), claimed_until=bindparam("until"), polls=_columns.polls + 1)
    .returning(_columns.polls)
)
_LAUNCH: Final = (
    update(attempts)
    .where(_columns.id == bindparam("attempt_id"), _UNCLAIMED)
    .values(claimed_until=bindparam("until"))
    .returning(_columns.id)
)
_LOOK: Final = (
    update(attempts)
    .where(_columns.id == bindparam("attempt_id"), _columns.look_at <= bindparam("now"))
    .values(look_at=bindparam("again"))
    .returning(_columns.id)
)
_RELEASE: Final = (
    update(attempts)
    .where(_columns.id == bindparam("attempt_id"), _columns.claimed_until == bindparam("until"))
    .values(claimed_until=None)
    .returning(_columns.id)
)


class Claims:
    """Compare-and-set statements. A claim is identified by the time at which it expires (UTC)."""

    def __init__(self, engine: Engine) -> None:
        self._poll = Change(engine, _POLL)
        self._launch = Change(engine, _LAUNCH)
        self._look = Change(engine, _LOOK)
        self._release = Change(engine, _RELEASE)

    def poll(self, attempt_id: str, now: datetime, permit: PollPermit) -> int | None:
        """Claim a poll until ``permit.claimed_until``.

        Returns which poll of the attempt it is, counted from 1; None if no poll is due.
        """
        values = {
            "attempt_id": attempt_id,
            "now": now,
            "most": permit.most,
            "not_since": permit.not_since,
            "until": permit.claimed_until,
        }
        row = self._poll.make(values)
        return int(row[0]) if row else None

    def launch(self, attempt_id: str, now: datetime, claimed_until: datetime) -> bool:
        """Claim the next try of a launch until ``claimed_until``."""
        return self._launch.make({"attempt_id": attempt_id, "now": now, "until": claimed_until}) is not None

    def look(self, attempt_id: str, now: datetime, again: datetime | None) -> bool:
        """Claim a look that is due, by moving it to ``again``."""
        return self._look.make({"attempt_id": attempt_id, "now": now, "again": again}) is not None

    def release(self, attempt_id: str, claimed_until: datetime) -> None:
        """Release the claim that ends at ``claimed_until``, if the attempt still has it."""
        self._release.make({"attempt_id": attempt_id, "until": claimed_until})
