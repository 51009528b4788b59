"""Attempts in the database. Every change is one compare-and-set statement."""

from __future__ import annotations

import contextlib
from collections.abc import Set
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Column, Connection, Engine, Row, Select, bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningUpdate

from bff.connect.attempt import Attempt, AttemptChanges, Delivery, Hint, Status
from bff.connect.other_sign_ins import OtherSignIns
from bff.connect.outcome import OVER, OtherSignIn
from bff.connect.poll_schedule import Turn
from bff.connect.ports import AlreadyBegun, MintedUrl
from bff.connect.timeline import Step
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef, User
from bff.serving.database import writing
from bff.serving.statements import Change, Read
from bff.storage.tables import IS_LAUNCHED, attempt_steps, attempts

MOST_FOUND: Final = 20

_SAME_NAME: Final = (
    "id", "support_code", "product", "message", "callback_message", "locale", "origin", "return_url",
    "launch_token_sha256", "created_at", "expires_at", "launched_at", "minted_at", "sign_in_token_sha256",
    "account_connector_id", "authenticated_before", "return_secret_sha256", "browser_sha256", "returned_at",
    "return_error", "confirmed_at", "attributed", "seemed_over_at",
    "hinted_at", "checked_at", "checks", "settled_at", "error_code", "external_account", "late_success_at",
    "provider_said", "idempotency_sha256", "request_sha256",
)  # fmt: skip

_OTHER_NAMES: Final = (
    "account_id", "account_name", "user_id", "user_name", "user_email",
    "connector_key", "connector_name", "connector_reference", "status", "delivery",
)  # fmt: skip
# By place, as a row is asked for many columns.
_places: Final = attempts.c.keys()
_SAME: Final = itemgetter(*map(_places.index, _SAME_NAME))
_OTHERWISE: Final = itemgetter(*map(_places.index, _OTHER_NAMES))

_table: Final = attempts.c
_CLAIM: Final = (
    update(attempts)
    .where(
        _table.id == bindparam("wanted"),
        _table.checks < bindparam("most"),
        or_(_table.checked_at.is_(None), _table.checked_at <= bindparam("not_since")),
        or_(_table.checking_until.is_(None), _table.checking_until <= bindparam("now")),
    )
    .values(checked_at=bindparam("now"), checking_until=bindparam("lease_until"), checks=_table.checks + 1)
    .returning(_table.id)
)
_END_CHECK: Final = (
    update(attempts).where(_table.id == bindparam("wanted")).values(checking_until=None).returning(_table.id)
)


def _by(column: Column[Any]) -> Select[Any]:
    return select(attempts).where(column == bindparam("wanted"))


def _transition(names: frozenset[str], expected: frozenset[Status]) -> ReturningUpdate[Any]:
    """The compare-and-set of these columns; each of its values is a parameter of its column's name."""
    allowed = or_(*(_table.status == status.value for status in sorted(expected)))
    changed: dict[str, Any] = {name: bindparam(name) for name in names}
    wanted = update(attempts).where(_table.id == bindparam("wanted"), allowed)
    return wanted.values(changed).returning(attempts)


class DatabaseAttempts:
    """Implements ``AttemptStore``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._others = OtherSignIns(engine)
        self._by_id, self._by_launch_token, self._by_return_secret, self._by_key = (
            Read(engine, _by(column))
            for column in (
                _table.id,
                _table.launch_token_sha256,
                _table.return_secret_sha256,
                _table.idempotency_sha256,
            )
        )
        new: dict[str, Any] = {name: bindparam(name) for name in (*_SAME_NAME, *_OTHER_NAMES)}
        self._add = Change(engine, insert(attempts).values(new).returning(_table.id))
        self._claim = Change(engine, _CLAIM)
        self._end_check = Change(engine, _END_CHECK)
        self._transitions: dict[tuple[frozenset[str], frozenset[Status]], Change] = {}

    def add(self, attempt: Attempt) -> None:
        """Keep a new attempt. Raises ``AlreadyBegun``: the database lets one request begin one attempt."""
        try:
            self._add.make(_to_row(attempt))
        except IntegrityError:
            key = attempt.idempotency_sha256
            begun = (_found(self._by_key.one(wanted=key)) if key else None) or self.get(attempt.id)
            if begun is None:
                raise
            raise AlreadyBegun(begun) from None

    def get(self, attempt_id: str) -> Attempt | None:
        """The attempt of this id."""
        return _found(self._by_id.one(wanted=attempt_id))

    def find_by_launch_token(self, token_sha256: str) -> Attempt | None:
        """The attempt that this launch token belongs to."""
        return _found(self._by_launch_token.one(wanted=token_sha256))

    def find_by_return_secret(self, secret_sha256: str) -> Attempt | None:
        """The attempt whose return page has this secret."""
        return _found(self._by_return_secret.one(wanted=secret_sha256))

    def transition(self, attempt_id: str, expected: Set[Status], changes: AttemptChanges) -> Attempt | None:
        """Compare-and-set; None when the status was none of ``expected``."""
        kind = frozenset(changes), frozenset(expected)
        change = self._transitions.get(kind)
        if change is None:
            change = self._transitions[kind] = Change(self._engine, _transition(*kind))
        return _found(change.make({**changes, "wanted": attempt_id}))

    def find_by_support_code(self, support_code: str) -> list[Attempt]:
        """The attempts that show this support code, newest first."""
        wanted = select(attempts).where(attempts.c.support_code == support_code)
        with self._engine.connect() as connection:
            rows = connection.execute(wanted.order_by(attempts.c.created_at.desc()).limit(MOST_FOUND)).all()
        return [_from_row(row) for row in rows]

    def others(self, attempt: Attempt, since: datetime) -> list[OtherSignIn]:
        """Every other sign-in to its account connector that was minted since then."""
        return self._others.of(attempt, since)

    def note_sign_in_url(self, minted: MintedUrl) -> None:
        """A sign-in without an attempt around it."""
        self._others.note(minted)

    def claim_check(self, attempt_id: str, now: datetime, turn: Turn) -> bool:
        """Whether it is this caller's turn to ask; the answer True is given once."""
        values = {
            "wanted": attempt_id,
            "now": now,
            "most": turn.most,
            "not_since": turn.not_since,
            "lease_until": turn.lease_until,
        }
        return self._claim.make(values) is not None

    def end_check(self, attempt_id: str) -> None:
        """The question has been answered: the next may be asked."""
        self._end_check.make({"wanted": attempt_id})

    def note_hint(self, attempt_id: str, hint: Hint, now: datetime) -> None:
        """A page was woken by this signal."""
        with self._writer.begin() as connection:
            seen = {"hinted_at": now} | ({"seemed_over_at": now} if hint in OVER else {})
            connection.execute(update(attempts).where(_table.id == attempt_id).values(seen))
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


def _found(row: tuple[Any, ...] | None) -> Attempt | None:
    return _from_row(row) if row else None


def _from_row(row: Row[Any] | tuple[Any, ...]) -> Attempt:
    account, name, user, user_name, email, key, connector, reference, status, delivery = _OTHERWISE(row)
    same = dict(zip(_SAME_NAME, _SAME(row), strict=True))
    return Attempt(
        **same,
        status=Status(status),
        delivery=Delivery(delivery),
        account=AccountRef(account, name, same["product"]),
        user=User(user, user_name, email),
        connector=OfferedConnector(key, connector, reference),
    )
