"""Lists attempts, for the host's server and for operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Engine, and_, case, or_

from bff.common.cursor import Cursor
from bff.connect.attempt import Attempt, Status
from bff.connect.attempt_rows import from_row
from bff.connect.outcome import as_of
from bff.storage.pages import PagedQuery
from bff.storage.tables import attempts

LONGEST_ATTEMPT: Final = timedelta(days=1)
"""The most time from the start of an attempt to its end or late success, with a form sent again and again.

If the BFF stood still, or a backup was restored, an attempt may end later: ``since`` then misses it.
"""

EARLIEST_SINCE: Final = datetime.min.replace(tzinfo=UTC) + LONGEST_ATTEMPT
"""The earliest ``since`` from which ``LONGEST_ATTEMPT`` can be subtracted: ``datetime`` has no year 0."""


@dataclass(frozen=True)
class AttemptFilter:
    """Filters for attempts; None matches any.

    ``since`` (UTC): begun, ended or succeeded late at that time or later.
    """

    product: str
    account: str | None = None
    user: str | None = None
    connector: str | None = None
    status: Status | None = None
    since: datetime | None = None


class AttemptList:
    """Reads pages of attempts, newest first."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock

    def page(
        self, filters: AttemptFilter, limit: int, after: Cursor | None = None
    ) -> tuple[list[Attempt], Cursor | None]:
        """At most ``limit`` attempts, and the cursor of the next page; None on the last one."""
        now = self._clock()
        with self._engine.connect() as connection:
            rows, next_page = _page_of(filters, now).read(connection, limit, after)
        return [as_of(from_row(row), now) for row in rows], next_page


def _page_of(filters: AttemptFilter, now: datetime) -> PagedQuery:
    columns = attempts.c
    # As ``outcome.as_of`` reports it; the stored status is still ``created``.
    has_expired_unlaunched = and_(columns.status == Status.CREATED.value, columns.expires_at <= now)
    condition = columns.product == filters.product
    if filters.account is not None:
        condition &= columns.account_id == filters.account
    if filters.since is not None:
        # Bounds the scan, as the index has only this one of the three times below.
        condition &= columns.created_at >= max(filters.since, EARLIEST_SINCE) - LONGEST_ATTEMPT
        moments = (columns.created_at, columns.settled_at, columns.late_success_at)
        expired_since = and_(has_expired_unlaunched, columns.expires_at >= filters.since)
        condition &= or_(*(moment >= filters.since for moment in moments), expired_since)
    wanted = {
        "user_id": filters.user,
        "connector_key": filters.connector,
        "status": filters.status.value if filters.status else None,
    }
    unindexed = {name: value for name, value in wanted.items() if value is not None}
    status = case((has_expired_unlaunched, Status.EXPIRED.value), else_=columns.status)
    return PagedQuery(attempts, indexed=condition, unindexed=unindexed, computed={"status": status})
