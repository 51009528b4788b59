"""Lists of attempts, for servers that were away and for operators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from bff.common.cursor import Cursor
from bff.connect.attempt import Attempt, Status
from bff.connect.attempt_rows import from_row
from bff.storage.pages import PageOf
from bff.storage.tables import attempts


@dataclass(frozen=True)
class WantedAttempts:
    """Which attempts of a product; None: whichever. ``since``: begun at that time or later."""

    product: str
    account: str | None = None
    user: str | None = None
    connector: str | None = None
    status: Status | None = None
    since: datetime | None = None


class AttemptList:
    """Reads pages of attempts, newest first."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(
        self, wanted: WantedAttempts, limit: int, after: Cursor | None = None
    ) -> tuple[list[Attempt], Cursor | None]:
        """At most ``limit`` attempts, and where the list goes on; None at its end."""
        with self._engine.connect() as connection:
            rows, further = _page_of(wanted).read(connection, limit, after)
        return [from_row(row) for row in rows], further


def _page_of(wanted: WantedAttempts) -> PageOf:
    table = attempts.c
    indexed = table.product == wanted.product
    if wanted.account is not None:
        indexed &= table.account_id == wanted.account
    if wanted.since is not None:
        indexed &= table.created_at >= wanted.since
    rest = {
        "user_id": wanted.user,
        "connector_key": wanted.connector,
        "status": wanted.status.value if wanted.status else None,
    }
    return PageOf(attempts, indexed, {name: value for name, value in rest.items() if value is not None})
