"""Claims of attempts in the database: one process at a time polls an attempt, or tries its launch."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Engine, bindparam, or_, update

from bff.connect.poll_schedule import PollPermit
from bff.serving.statements import Change
from bff.storage.tables import attempts

_table: Final = attempts.c
_UNCLAIMED: Final = or_(_table.checking_until.is_(None), _table.checking_until <= bindparam("now"))
_POLL: Final = (
    update(attempts)
    .where(
        _table.id == bindparam("wanted"),
        _table.checks < bindparam("most"),
        or_(_table.checked_at.is_(None), _table.checked_at <= bindparam("not_since")),
        _UNCLAIMED,
    )
    .values(checked_at=bindparam("now"), checking_until=bindparam("lease_until"), checks=_table.checks + 1)
    .returning(_table.checks)
)
_LAUNCH: Final = (
    update(attempts)
    .where(_table.id == bindparam("wanted"), _UNCLAIMED)
    .values(checking_until=bindparam("lease_until"))
    .returning(_table.id)
)
_RELEASE: Final = (
    update(attempts)
    .where(_table.id == bindparam("wanted"), _table.checking_until == bindparam("lease_until"))
    .values(checking_until=None)
    .returning(_table.id)
)


class Claims:
    """Compare-and-set statements. A claim is known by the time at which it expires (UTC)."""

    def __init__(self, engine: Engine) -> None:
        self._poll = Change(engine, _POLL)
        self._launch = Change(engine, _LAUNCH)
        self._release = Change(engine, _RELEASE)

    def poll(self, attempt_id: str, now: datetime, permit: PollPermit) -> int | None:
        """Claim a poll until ``permit.lease_until``: which poll it is, from 1; None if it may not be made."""
        values = {
            "wanted": attempt_id,
            "now": now,
            "most": permit.most,
            "not_since": permit.not_since,
            "lease_until": permit.lease_until,
        }
        row = self._poll.make(values)
        return int(row[0]) if row else None

    def launch(self, attempt_id: str, now: datetime, lease_until: datetime) -> bool:
        """Claim the next try of a launch until ``lease_until``."""
        return self._launch.make({"wanted": attempt_id, "now": now, "lease_until": lease_until}) is not None

    def release(self, attempt_id: str, lease_until: datetime) -> None:
        """Release the claim that ends at ``lease_until``, if the attempt still has it."""
        self._release.make({"wanted": attempt_id, "lease_until": lease_until})
