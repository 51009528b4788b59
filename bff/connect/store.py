"""Attempts in the database. Every change is one compare-and-set statement."""

from __future__ import annotations

from collections.abc import Callable, Set
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Column, Engine, Select, bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningUpdate

from bff.connect import steps
from bff.connect.attempt import LIVE, Attempt, AttemptChanges, Hint, Status
from bff.connect.attempt_rows import COLUMNS, found, from_row, subject, to_row
from bff.connect.other_sign_ins import OtherSignIns
from bff.connect.outcome import OVER, OtherSignIn
from bff.connect.poll_schedule import Turn
from bff.connect.ports import AlreadyBegun, Beside, MintedUrl
from bff.connect.timeline import Step
from bff.products.webhook_endpoint import LATE_SUCCESS, SETTLED
from bff.serving.database import writing
from bff.serving.statements import Change, Read
from bff.storage import outbox
from bff.storage.tables import IS_LAUNCHED, attempts

MOST_FOUND: Final = 20


# By place, as a row is asked for many columns.

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


def _transition(names: frozenset[str], expected: frozenset[Status], unused: bool) -> ReturningUpdate[Any]:
    """The compare-and-set of these columns; each of its values is a parameter of its column's name."""
    allowed = or_(*(_table.status == status.value for status in sorted(expected)))
    if unused:
        allowed &= _table.minted_at.is_(None) & _table.browser_sha256.is_(None)
    changed: dict[str, Any] = {name: bindparam(name) for name in names}
    wanted = update(attempts).where(_table.id == bindparam("wanted"), allowed)
    return wanted.values(changed).returning(attempts)


def _event(event_type: str, at: datetime, row: tuple[Any, ...]) -> dict[str, Any]:
    attempt_id, product, account = subject(row)
    return outbox.values_of(outbox.NewEvent(event_type, product, account, attempt_id, None, at))


def event_of(changes: AttemptChanges) -> str | None:
    """The event that a change makes: an attempt ended, or a late success was seen; None for any other."""
    if "late_success_at" in changes:
        return LATE_SUCCESS
    status = changes.get("status")
    return SETTLED if status is not None and status not in LIVE else None


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
        new: dict[str, Any] = {name: bindparam(name) for name in COLUMNS}
        self._add = Change(engine, insert(attempts).values(new).returning(_table.id))
        self._claim = Change(engine, _CLAIM)
        self._end_check = Change(engine, _END_CHECK)
        self._transitions: dict[tuple[frozenset[str], frozenset[Status], bool], Change] = {}

    def add(self, attempt: Attempt) -> None:
        """Keep a new attempt. Raises ``AlreadyBegun``: the database lets one request begin one attempt."""
        try:
            self._add.make(to_row(attempt))
        except IntegrityError:
            key = attempt.idempotency_sha256
            begun = (found(self._by_key.one(wanted=key)) if key else None) or self.get(attempt.id)
            if begun is None:
                raise
            raise AlreadyBegun(begun) from None

    def get(self, attempt_id: str) -> Attempt | None:
        """The attempt of this id."""
        return found(self._by_id.one(wanted=attempt_id))

    def find_by_launch_token(self, token_sha256: str) -> Attempt | None:
        """The attempt that this launch token belongs to."""
        return found(self._by_launch_token.one(wanted=token_sha256))

    def find_by_return_secret(self, secret_sha256: str) -> Attempt | None:
        """The attempt whose return page has this secret."""
        return found(self._by_return_secret.one(wanted=secret_sha256))

    def transition(
        self,
        attempt_id: str,
        expected: Set[Status],
        changes: AttemptChanges,
        beside: Beside | None = None,
        *,
        unused: bool = False,
    ) -> Attempt | None:
        """Compare-and-set; None when the status was none of ``expected``, or its launch token was used.

        An ending is recorded as an event in the same transaction.
        """
        kind = frozenset(changes), frozenset(expected), unused
        event_type = event_of(changes)
        at = changes.get("late_success_at") or changes.get("settled_at") or datetime.now(UTC)

        event = partial(_event, event_type, at) if event_type else None
        if beside is not None:
            row = self._change_beside(_transition(*kind), {**changes, "wanted": attempt_id}, event, beside)
        else:
            change = self._transitions.get(kind)
            if change is None:
                change = Change(self._engine, _transition(*kind), outbox.RECORD_IF_TOLD)
                self._transitions[kind] = change
            row = change.make({**changes, "wanted": attempt_id}, event)
        if row is not None and event_type is not None:
            outbox.tell(self._engine)
        return found(row)

    def _change_beside(
        self,
        changed: ReturningUpdate[Any],
        values: dict[str, Any],
        event: Callable[[tuple[Any, ...]], dict[str, Any]] | None,
        beside: Beside,
    ) -> tuple[Any, ...] | None:
        with self._writer.begin() as connection:
            changed_row = connection.execute(changed, values).one_or_none()
            if changed_row is None:
                return None
            row = tuple(changed_row)
            if event:
                connection.execute(outbox.RECORD_IF_TOLD, event(row))
            beside(connection, from_row(row))
        return row

    def find_by_support_code(self, support_code: str) -> list[Attempt]:
        """The attempts that show this support code, newest first."""
        wanted = select(attempts).where(attempts.c.support_code == support_code)
        with self._engine.connect() as connection:
            rows = connection.execute(wanted.order_by(attempts.c.created_at.desc()).limit(MOST_FOUND)).all()
        return [from_row(row) for row in rows]

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
            steps.note(connection, attempt_id, f"{hint}_seen", now)

    def note_begun(self, attempt_id: str, at: datetime) -> None:
        """The browser had arrived at the partner service; told again, it is no news."""
        with self._writer.begin() as connection:
            steps.note(connection, attempt_id, "redeemed", at, again=False)

    def note(self, attempt_id: str, step: str, at: datetime) -> None:
        """Something else happened that belongs into the story."""
        with self._writer.begin() as connection:
            steps.note(connection, attempt_id, step, at)

    def forms_sent(self, attempt_id: str) -> int:
        """How often the form of an attempt was sent."""
        with self._engine.connect() as connection:
            return steps.forms_sent(connection, attempt_id)

    def send_form(self, attempt_id: str, turn: int, now: datetime) -> bool:
        """Compare-and-set: it was sent ``turn`` times, and is once more. False when it was sent since."""
        with self._writer.begin() as connection:
            return steps.send_form(connection, attempt_id, turn, now)

    def was_filled_in(self, account_connector_id: int) -> bool:
        """Whether a user has sent a form for this account connector, in any attempt that is still kept."""
        with self._engine.connect() as connection:
            return steps.was_filled_in(connection, account_connector_id)

    def overdue(self, now: datetime, limit: int) -> list[Attempt]:
        """Launched attempts that should have ended before ``now``, the longest overdue first."""
        wanted = select(attempts).where(IS_LAUNCHED, attempts.c.expires_at < now)
        with self._engine.connect() as connection:
            rows = connection.execute(wanted.order_by(attempts.c.expires_at).limit(limit)).all()
        return [from_row(row) for row in rows]

    def steps(self, attempt_id: str) -> list[Step]:
        """What was noted, in no order; and how often the partner service was asked, and when last."""
        with self._engine.connect() as connection:
            return steps.told(connection, attempt_id)
