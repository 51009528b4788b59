"""Stores attempts in the database. The status changes by one compare-and-set statement each time."""

from __future__ import annotations

from collections.abc import Callable, Set
from datetime import datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Column, Connection, Engine, Select, bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningUpdate

from bff.common.errors import Outdated
from bff.connect import steps, typed_values
from bff.connect.attempt import LIVE, Attempt, AttemptChanges, Hint, Status
from bff.connect.attempt_rows import COLUMNS, event_subject, from_row, from_row_or_none, to_row
from bff.connect.due_attempts import DueAttempts
from bff.connect.leases import Leases
from bff.connect.other_sign_ins import OtherSignIns
from bff.connect.outcome import ENDING_HINTS, OtherSignIn
from bff.connect.poll_schedule import PollPermit
from bff.connect.ports import AlreadyBegun, HostSignInUrl, TransactionHook
from bff.connect.timeline import POLLED, Step
from bff.identity.principal import AccountRef
from bff.products.webhook_endpoint import LATE_SUCCESS, SETTLED
from bff.serving.database import writing
from bff.serving.statements import Change, Read
from bff.storage import outbox
from bff.storage.tables import attempts

MOST_FOUND: Final = 20
"""Attempts returned for one support code. Codes are random, so as a rule it is one."""

_columns: Final = attempts.c


def _by(column: Column[Any]) -> Select[Any]:
    return select(attempts).where(column == bindparam("value"))


def _transition(names: frozenset[str], expected: frozenset[Status], leased: bool) -> ReturningUpdate[Any]:
    """The compare-and-set statement that sets the columns ``names``, each from a parameter of its name."""
    allowed = or_(*(_columns.status == status.value for status in sorted(expected)))
    if leased:
        allowed &= _columns.minted_at.is_(None) & _columns.browser_sha256.is_(None)
        allowed &= _columns.lease_end == bindparam("held_lease_end")
    if "late_success_at" in names:
        allowed &= _columns.late_success_at.is_(None)
    changed: dict[str, Any] = {name: bindparam(name) for name in names}
    change = update(attempts).where(_columns.id == bindparam("attempt_id"), allowed)
    return change.values(changed).returning(attempts)


def _event(event_type: str, at: datetime, row: tuple[Any, ...]) -> dict[str, Any]:
    attempt_id, product, account = event_subject(row)
    return outbox.values_of(outbox.NewEvent(event_type, product, account, attempt_id, None, at))


def _event_of(changes: AttemptChanges) -> tuple[str, datetime] | None:
    """The type and time of the event that a change records: settled, or late success. None for other changes.

    A change that ends an attempt has ``settled_at``.
    """
    if "late_success_at" in changes:
        return LATE_SUCCESS, changes["late_success_at"]
    status = changes.get("status")
    return (SETTLED, changes["settled_at"]) if status is not None and status not in LIVE else None


class DatabaseAttempts:
    """Implements ``AttemptStore``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._others = OtherSignIns(engine)
        self._by_id, self._by_launch_token, self._by_return_secret, self._by_key = (
            Read(engine, _by(column))
            for column in (
                _columns.id,
                _columns.launch_token_sha256,
                _columns.return_secret_sha256,
                _columns.idempotency_sha256,
            )
        )
        new: dict[str, Any] = {name: bindparam(name) for name in COLUMNS}
        self._add = Change(engine, insert(attempts).values(new).returning(_columns.id))
        self._leases = Leases(engine)
        self._due = DueAttempts(engine)
        self._transitions: dict[tuple[frozenset[str], frozenset[Status], bool], Change] = {}

    def add(self, attempt: Attempt) -> None:
        """Store a new attempt. Raises ``AlreadyBegun`` if one has the same id or ``idempotency_sha256``."""
        try:
            self._add.make(to_row(attempt))
        except IntegrityError:
            key = attempt.idempotency_sha256
            begun = (from_row_or_none(self._by_key.one(value=key)) if key else None) or self.get(attempt.id)
            if begun is None:
                raise
            raise AlreadyBegun(begun) from None

    def get(self, attempt_id: str) -> Attempt | None:
        """The attempt of this id."""
        return from_row_or_none(self._by_id.one(value=attempt_id))

    def find_by_launch_token(self, token_sha256: str) -> Attempt | None:
        """The attempt that this launch token belongs to."""
        return from_row_or_none(self._by_launch_token.one(value=token_sha256))

    def find_by_return_secret(self, secret_sha256: str) -> Attempt | None:
        """The attempt whose return page has this secret."""
        return from_row_or_none(self._by_return_secret.one(value=secret_sha256))

    def find_by_idempotency_key(self, key_sha256: str) -> Attempt | None:
        """The attempt that was begun with this key."""
        return from_row_or_none(self._by_key.one(value=key_sha256))

    def transition(
        self,
        attempt_id: str,
        expected: Set[Status],
        changes: AttemptChanges,
        hook: TransactionHook | None = None,
        *,
        lease_end: datetime | None = None,
    ) -> Attempt | None:
        """Compare-and-set; None if the status is none of ``expected``.

        With ``lease_end``: also None if another process has the lease, a token was minted or a form opened.

        Records an ending, or a late success, as an event in the same transaction.
        """
        statement_key = frozenset(changes), frozenset(expected), lease_end is not None
        values = {**changes, "attempt_id": attempt_id, **({"held_lease_end": lease_end} if lease_end else {})}
        recorded = _event_of(changes)
        event = partial(_event, *recorded) if recorded else None
        if hook is not None:
            row = self._change_with_hook(_transition(*statement_key), values, event, hook)
        else:
            change = self._transitions.get(statement_key)
            if change is None:
                change = Change(self._engine, _transition(*statement_key), outbox.RECORD_IF_SUBSCRIBED)
                self._transitions[statement_key] = change
            row = change.make(values, event)
        if row is not None and event is not None:
            outbox.notify(self._engine)
        return from_row_or_none(row)

    def _change_with_hook(
        self,
        statement: ReturningUpdate[Any],
        values: dict[str, Any],
        event: Callable[[tuple[Any, ...]], dict[str, Any]] | None,
        hook: TransactionHook,
    ) -> tuple[Any, ...] | None:
        with self._writer.begin() as connection:
            changed_row = connection.execute(statement, values).one_or_none()
            if changed_row is None:
                return None
            row = tuple(changed_row)
            if event:
                connection.execute(outbox.RECORD_IF_SUBSCRIBED, event(row))
            hook(connection, from_row(row))
        return row

    def find_by_support_code(self, support_code: str) -> list[Attempt]:
        """The attempts with this support code, newest first."""
        query = select(attempts).where(attempts.c.support_code == support_code)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(attempts.c.created_at.desc()).limit(MOST_FOUND)).all()
        return [from_row(row) for row in rows]

    def other_sign_ins(self, attempt: Attempt, since: datetime) -> list[OtherSignIn]:
        """The other sign-ins to its account connector minted at ``since`` or later, of any product."""
        return self._others.of(attempt, since)

    def note_sign_in_url(self, minted: HostSignInUrl) -> None:
        """Store that a sign-in URL was minted outside of any attempt."""
        self._others.note(minted)

    def lease_poll(self, attempt_id: str, now: datetime, permit: PollPermit) -> bool:
        """Take the lease of a poll; of concurrent calls one gets True."""
        polls = self._leases.poll(attempt_id, now, permit)
        if polls == 1:
            # For the time of the first poll: the attempt's row has only that of the last.
            self.count_step(attempt_id, POLLED, now)
        return polls is not None

    def lease_launch(self, attempt_id: str, now: datetime, lease_end: datetime) -> bool:
        """Take the lease of the next try of a launch; of concurrent calls one gets True."""
        return self._leases.launch(attempt_id, now, lease_end)

    def release_lease(self, attempt_id: str, lease_end: datetime) -> None:
        """Release the lease that ends at ``lease_end``. A later one stays."""
        self._leases.release(attempt_id, lease_end)

    def note_hint(self, attempt_id: str, hint: Hint, now: datetime) -> None:
        """Store that a page sent this hint, or that the BFF saw its cause."""
        with self._writer.begin() as connection:
            changes = {"hinted_at": now} | ({"seemed_over_at": now} if hint in ENDING_HINTS else {})
            connection.execute(update(attempts).where(_columns.id == attempt_id).values(changes))
            steps.count_step(connection, attempt_id, f"{hint}_seen", now)

    def note_redeemed(self, attempt_id: str, at: datetime) -> None:
        """Store when the browser arrived at the partner service; only the first call counts."""
        with self._writer.begin() as connection:
            steps.note_once(connection, attempt_id, "redeemed", at)

    def count_step(self, attempt_id: str, step: str, at: datetime) -> None:
        """Count a step of the timeline."""
        with self._writer.begin() as connection:
            steps.count_step(connection, attempt_id, step, at)

    def form_submissions(self, attempt_id: str) -> int:
        """How often the form of an attempt was submitted."""
        with self._engine.connect() as connection:
            return steps.form_submissions(connection, attempt_id)

    def count_submission(self, attempt_id: str, submitted_before: int, now: datetime) -> bool:
        """Compare-and-set: count one more submission; False unless there were ``submitted_before``."""
        with self._writer.begin() as connection:
            return steps.count_submission(connection, attempt_id, submitted_before, now)

    def change_submitted(
        self, attempt_id: str, submitted_before: int, changes: AttemptChanges
    ) -> Attempt | None:
        """``transition`` of a launched attempt; raises ``Outdated`` if its form was submitted again since."""

        def require_latest(transaction: Connection, _: Attempt) -> None:
            # In the transaction: the later submission stores after it was counted, so it is not overwritten.
            if steps.form_submissions(transaction, attempt_id) != submitted_before + 1:
                raise Outdated("this form was submitted again meanwhile")

        return self.transition(attempt_id, {Status.LAUNCHED}, changes, require_latest)

    def note_typed_values(self, account: AccountRef, account_connector_id: int, at: datetime) -> None:
        """Store, for longer than any attempt, that a user typed values for this account connector."""
        with self._writer.begin() as connection:
            typed_values.note(connection, account, account_connector_id, at)

    def has_typed_values(self, account_connector_id: int) -> bool:
        """Whether that is stored."""
        with self._engine.connect() as connection:
            return typed_values.exist(connection, account_connector_id)

    def overdue(self, now: datetime, limit: int) -> list[Attempt]:
        """Launched attempts whose time was over before ``now``, the longest overdue first."""
        return self._due.overdue(now, limit)

    def due_for_recheck(self, now: datetime, limit: int) -> list[Attempt]:
        """Attempts that were given up and are due for a recheck, the longest due first."""
        return self._due.for_recheck(now, limit)

    def set_aside(self, attempt_id: str, error: Exception) -> None:
        """Leave an attempt out of the due and overdue ones. Raises ``error`` if it is an outage."""
        self._due.set_aside(attempt_id, error)

    def take_recheck(self, attempt_id: str, now: datetime, again: datetime | None) -> bool:
        """Take a recheck that is due, and plan the next one; of concurrent calls one gets True."""
        return self._leases.take_recheck(attempt_id, now, again)

    def plan_recheck(self, attempt_id: str, at: datetime | None) -> None:
        """Plan the next recheck; None for none."""
        with self._writer.begin() as connection:
            connection.execute(update(attempts).where(_columns.id == attempt_id).values(recheck_at=at))

    def steps(self, attempt_id: str) -> list[Step]:
        """The counted steps, unordered. The polls are one of them: how often, and when first and last."""
        with self._engine.connect() as connection:
            return steps.read(connection, attempt_id)
