"""Leases of attempts: one process at a time polls an attempt, tries its launch, or checks it again."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Engine, bindparam, or_, update

from bff.connect.poll_schedule import PollPermit
from bff.serving.statements import Change
from bff.storage.tables import attempts

_columns: Final = attempts.c
_UNLEASED: Final = or_(_columns.lease_end.is_(None), _columns.lease_end <= bindparam("now"))
_POLL: Final = (
    update(attempts)
    .where(
        _columns.id == bindparam("attempt_id"),
        _columns.polls < bindparam("most"),
        or_(_columns.polled_at.is_(None), _columns.polled_at <= bindparam("not_since")),
        _UNLEASED,
    )
    .values(polled_at=bindparam("now"), lease_end=bindparam("until"), polls=_columns.polls + 1)
    .returning(_columns.polls)
)
_LAUNCH: Final = (
    update(attempts)
    .where(_columns.id == bindparam("attempt_id"), _UNLEASED)
    .values(lease_end=bindparam("until"))
    .returning(_columns.id)
)
_RECHECK: Final = (
    update(attempts)
    .where(_columns.id == bindparam("attempt_id"), _columns.recheck_at <= bindparam("now"))
    .values(recheck_at=bindparam("again"))
    .returning(_columns.id)
)
_RELEASE: Final = (
    update(attempts)
    .where(_columns.id == bindparam("attempt_id"), _columns.lease_end == bindparam("until"))
    .values(lease_end=None)
    .returning(_columns.id)
)


class Leases:
    """Compare-and-set statements.

    A lease is a right that one process has until it expires, since that process may die. It is identified by
    the time when it expires (UTC), in the column ``lease_end``.
    """

    def __init__(self, engine: Engine) -> None:
        self._poll = Change(engine, _POLL)
        self._launch = Change(engine, _LAUNCH)
        self._recheck = Change(engine, _RECHECK)
        self._release = Change(engine, _RELEASE)

    def poll(self, attempt_id: str, now: datetime, permit: PollPermit) -> int | None:
        """Take the lease of a poll until ``permit.lease_end``.

        Returns which poll of the attempt it is, counted from 1; None if no poll is due.
        """
        values = {
            "attempt_id": attempt_id,
            "now": now,
            "most": permit.most,
            "not_since": permit.not_since,
            "until": permit.lease_end,
        }
        row = self._poll.make(values)
        return int(row[0]) if row else None

    def launch(self, attempt_id: str, now: datetime, lease_end: datetime) -> bool:
        """Take the lease of the next try of a launch until ``lease_end``; False while another one lasts."""
        return self._launch.make({"attempt_id": attempt_id, "now": now, "until": lease_end}) is not None

    def take_recheck(self, attempt_id: str, now: datetime, again: datetime | None) -> bool:
        """Take a recheck that is due, by planning the next one at ``again``; False if it is not due."""
        return self._recheck.make({"attempt_id": attempt_id, "now": now, "again": again}) is not None

    def release(self, attempt_id: str, lease_end: datetime) -> None:
        """Release the lease that ends at ``lease_end``, if the attempt still has it."""
        self._release.make({"attempt_id": attempt_id, "until": lease_end})
