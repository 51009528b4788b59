"""Attempts in the database. Every change is one compare-and-set statement."""

from __future__ import annotations

import contextlib
from collections.abc import Set
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, Row, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from bff.adapters.tables import IS_LAUNCHED, attempt_steps, attempts
from bff.core.model import Attempt, AttemptChanges, Delivery, Hint, OfferedConnector, Status, User
from bff.core.pace import Turn
from bff.core.ports import AccountRef, AlreadyBegun
from bff.core.timeline import Step
from bff.serving.database import writing

MOST_FOUND: Final = 20

_SAME_NAME: Final = (
    "id", "support_code", "product", "message", "callback_message", "locale", "origin", "return_url",
    "launch_token_sha256", "created_at", "expires_at", "launched_at", "minted_at", "sign_in_token_sha256",
    "account_connector_id", "authenticated_before", "return_secret_sha256", "browser_sha256", "returned_at",
    "hinted_at", "checked_at", "checks", "settled_at", "error_code", "external_account", "late_success_at",
    "idempotency_sha256", "request_sha256",
)  # fmt: skip


class DatabaseAttempts:
    """Implements ``AttemptStore``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = writing(engine)

    def add(self, attempt: Attempt) -> None:
        """Keep a new attempt. Raises ``AlreadyBegun``: the database lets one request begin one attempt."""
        try:
            with self._writer.begin() as connection:
                connection.execute(insert(attempts).values(_to_row(attempt)))
        except IntegrityError:
            key = attempt.idempotency_sha256
            begun = self._find(attempts.c.idempotency_sha256 == key) if key else None
            if begun is None:
                raise
            raise AlreadyBegun(begun) from None

    def get(self, attempt_id: str) -> Attempt | None:
        """The attempt of this id."""
        return self._find(attempts.c.id == attempt_id)

    def find_by_launch_token(self, token_sha256: str) -> Attempt | None:
        """The attempt that this launch token belongs to."""
        return self._find(attempts.c.launch_token_sha256 == token_sha256)

    def find_by_return_secret(self, secret_sha256: str) -> Attempt | None:
        """The attempt whose return page has this secret."""
        return self._find(attempts.c.return_secret_sha256 == secret_sha256)

    def transition(self, attempt_id: str, expected: Set[Status], changes: AttemptChanges) -> Attempt | None:
        """Compare-and-set; None when the status was none of ``expected``."""
        allowed = [status.value for status in expected]
        statement = (
            update(attempts)
            .where(attempts.c.id == attempt_id, attempts.c.status.in_(allowed))
            .values(**changes)
            .returning(attempts)
        )
        with self._writer.begin() as connection:
            row = connection.execute(statement).one_or_none()
        return _from_row(row) if row else None

    def find_by_support_code(self, support_code: str) -> list[Attempt]:
        """The attempts that show this support code, newest first."""
        wanted = select(attempts).where(attempts.c.support_code == support_code)
        with self._engine.connect() as connection:
            rows = connection.execute(wanted.order_by(attempts.c.created_at.desc()).limit(MOST_FOUND)).all()
        return [_from_row(row) for row in rows]

    def claim_check(self, attempt_id: str, now: datetime, turn: Turn) -> bool:
        """Whether it is this caller's turn to ask; the answer True is given once."""
        table = attempts.c
        statement = (
            update(attempts)
            .where(
                table.id == attempt_id,
                table.checks < turn.most,
                or_(table.checked_at.is_(None), table.checked_at <= turn.not_since),
                or_(table.checking_until.is_(None), table.checking_until <= now),
            )
            .values(checked_at=now, checking_until=turn.lease_until, checks=table.checks + 1)
        )
        with self._writer.begin() as connection:
            return connection.execute(statement).rowcount == 1

    def end_check(self, attempt_id: str) -> None:
        """The question has been answered: the next may be asked."""
        with self._writer.begin() as connection:
            over = update(attempts).where(attempts.c.id == attempt_id).values(checking_until=None)
            connection.execute(over)

    def note_hint(self, attempt_id: str, hint: Hint, now: datetime) -> None:
        """A page was woken by this signal."""
        with self._writer.begin() as connection:
            connection.execute(update(attempts).where(attempts.c.id == attempt_id).values(hinted_at=now))
            _note(connection, attempt_id, f"{hint}_seen", now)

    def note_begun(self, attempt_id: str, at: datetime) -> None:
        """The browser had arrived at the partner service; told again, it is no news."""
        with self._writer.begin() as connection:
            _note(connection, attempt_id, "redeemed", at, again=False)

    def note(self, attempt_id: str, step: str, at: datetime) -> None:
        """Something else happened that belongs into the story."""
        with self._writer.begin() as connection:
            _note(connection, attempt_id, step, at)

    def overdue(self, now: datetime, limit: int) -> list[Attempt]:
        """Launched attempts that should have ended before ``now``, the longest overdue first."""
        wanted = select(attempts).where(IS_LAUNCHED, attempts.c.expires_at < now)
        with self._engine.connect() as connection:
            rows = connection.execute(wanted.order_by(attempts.c.expires_at).limit(limit)).all()
        return [_from_row(row) for row in rows]

    def steps(self, attempt_id: str) -> list[Step]:
        """What was noted, in no order; and how often the partner service was asked, and when last."""
        with self._engine.connect() as connection:
            noted = connection.execute(
                select(attempt_steps).where(attempt_steps.c.attempt_id == attempt_id)
            ).all()
            asked = connection.execute(
                select(attempts.c.checked_at, attempts.c.checks).where(attempts.c.id == attempt_id)
            ).one_or_none()
        found = [Step(row.step, row.first_at, row.last_at, row[4]) for row in noted]
        if asked and asked.checked_at:
            found.append(Step("checked", asked.checked_at, asked.checked_at, asked.checks))
        return found

    def _find(self, condition: ColumnElement[bool]) -> Attempt | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(attempts).where(condition)).one_or_none()
        return _from_row(row) if row else None


def _note(connection: Connection, attempt_id: str, step: str, at: datetime, *, again: bool = True) -> None:
    table = attempt_steps.c
    known = (table.attempt_id == attempt_id) & (table.step == step)
    if again:
        more = update(attempt_steps).where(known).values(last_at=at, count=table.count + 1)
        there = connection.execute(more).rowcount > 0
    else:
        there = connection.execute(select(attempt_steps.c.step).where(known)).first() is not None
    if there:
        return
    values = {"attempt_id": attempt_id, "step": step, "first_at": at, "last_at": at, "count": 1}
    with contextlib.suppress(IntegrityError), connection.begin_nested():
        # Two workers may note the first of its kind at once: one row tells enough.
        connection.execute(insert(attempt_steps).values(values))


def _to_row(attempt: Attempt) -> dict[str, Any]:
    same = {name: getattr(attempt, name) for name in _SAME_NAME}
    return same | {
        "status": attempt.status.value,
        "delivery": attempt.delivery.value,
        "account_id": attempt.account.id,
        "account_name": attempt.account.name,
        "user_id": attempt.user.id,
        "user_name": attempt.user.name,
        "user_email": attempt.user.email,
        "connector_key": attempt.connector.key,
        "connector_name": attempt.connector.name,
        "connector_reference": attempt.connector.reference,
    }


def _from_row(row: Row[Any]) -> Attempt:
    return Attempt(
        **{name: getattr(row, name) for name in _SAME_NAME},
        status=Status(row.status),
        delivery=Delivery(row.delivery),
        account=AccountRef(row.account_id, row.account_name),
        user=User(row.user_id, row.user_name, row.user_email),
        connector=OfferedConnector(row.connector_key, row.connector_name, row.connector_reference),
    )
