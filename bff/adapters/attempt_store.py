"""Attempts in the database. Every change is one compare-and-set statement."""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, Row, insert, or_, select, update

from bff.adapters.database import writing
from bff.adapters.tables import attempts
from bff.core.model import Attempt, AttemptChanges, Delivery, OfferedConnector, Status, User
from bff.core.ports import AccountRef

_SAME_NAME: Final = (
    "id", "support_code", "product", "message", "callback_message", "locale", "origin", "return_url",
    "launch_token_sha256", "created_at", "expires_at", "launched_at", "sign_in_token_sha256",
    "account_connector_id", "authenticated_before", "return_secret_sha256", "returned_at", "settled_at",
    "error_code", "external_account",
)  # fmt: skip


class DatabaseAttempts:
    """Implements ``AttemptStore``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = writing(engine)

    def add(self, attempt: Attempt) -> None:
        """Keep a new attempt."""
        with self._writer.begin() as connection:
            connection.execute(insert(attempts).values(_to_row(attempt)))

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

    def claim_check(self, attempt_id: str, now: datetime, not_since: datetime) -> bool:
        """Whether nobody has asked since ``not_since``; the answer True is given once."""
        free = or_(attempts.c.checked_at.is_(None), attempts.c.checked_at <= not_since)
        statement = update(attempts).where(attempts.c.id == attempt_id, free).values(checked_at=now)
        with self._writer.begin() as connection:
            return connection.execute(statement).rowcount == 1

    def _find(self, condition: ColumnElement[bool]) -> Attempt | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(attempts).where(condition)).one_or_none()
        return _from_row(row) if row else None


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
