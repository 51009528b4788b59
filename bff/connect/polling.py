"""Polls the partner service about attempts, and settles those that have ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bff.common.errors import PartnerProblem
from bff.connect import outcome
from bff.connect.attempt import GIVEN_UP, LIVE, Attempt, AttemptChanges, Hint, Status
from bff.connect.outcome import OtherSignIn
from bff.connect.poll_schedule import next_recheck, poll_permit
from bff.connect.ports import AttemptEvent, AttemptStore, ConnectionRecorder, Events, TransactionHook
from bff.upstream.protocol import AccountConnector, PartnerService


class AttemptPoller:
    """Reads the outcome of attempts from the partner service."""

    def __init__(
        self,
        attempts: AttemptStore,
        partner: PartnerService,
        events: Events,
        clock: Callable[[], datetime],
        connections: ConnectionRecorder | None = None,
    ) -> None:
        self._attempts = attempts
        self._partner = partner
        self._events = events
        self._clock = clock
        self._connections = connections

    def poll(self, attempt: Attempt, hint: Hint | None = None) -> Attempt:
        """The attempt, polled if a poll is due, and settled if it has ended or its time is over.

        One that was given up stays so. If the poll shows that its sign-in has succeeded, that is noted.
        """
        now = self._clock()
        attempt = outcome.as_of(attempt, now)
        if attempt.status in LIVE:
            if hint is not None:
                self._attempts.note_hint(attempt.id, hint, now)
            changes, account_connector = self._decide(attempt, hint, now)
            if not changes and (over := outcome.expire(attempt, now)):
                return self.give_up(attempt, over)
            return self.settle(attempt, changes, account_connector) if changes else attempt
        if self._may_still_succeed(attempt, now):
            return self._poll_for_late_success(attempt, hint, now)
        return attempt

    def conclude(self, attempt: Attempt, account_connector: AccountConnector, hint: Hint | None) -> Attempt:
        """Settle the attempt if ``account_connector``, as the caller has just read it, shows its end."""
        changes = self._changes(attempt, account_connector, hint)
        return self.settle(attempt, changes, account_connector) if changes else attempt

    def settle(
        self,
        attempt: Attempt,
        changes: AttemptChanges,
        account_connector: AccountConnector | None = None,
        *,
        lease_end: datetime | None = None,
    ) -> Attempt:
        """End a live attempt and return it as it is then. Of concurrent calls the first one counts.

        ``account_connector``: as just read. Updates its connection if the attempt ends connected.
        ``lease_end``: if given, ends it only while the caller still has this lease of the launch
        (``AttemptStore.transition``).
        """
        succeeded = account_connector if changes.get("status") is Status.CONNECTED else None
        # By the clock as it is now: hosts list what has ended since a time, and a poll may have taken long.
        changes = {**changes, "settled_at": self._clock()}
        settled = self._attempts.transition(
            attempt.id, LIVE, changes, self._connection_hook(succeeded), lease_end=lease_end
        )
        if settled is None:
            return self._attempts.get(attempt.id) or attempt
        self._events.emit(AttemptEvent.SETTLED, settled)
        return settled

    def give_up(self, attempt: Attempt, changes: AttemptChanges) -> Attempt:
        """End a live attempt as cancelled or expired. While its sign-in may succeed, it is checked again."""
        if attempt.status not in LIVE:
            return attempt
        recheck_at = next_recheck(attempt, self._clock(), answered=False)
        settled = self.settle(attempt, {**changes, "recheck_at": recheck_at})
        if recheck_at is None and settled.status in GIVEN_UP:
            # A launch may have stored its account connector since the attempt was read.
            recheck_at = next_recheck(settled, self._clock(), answered=False)
            if recheck_at is not None:
                self._attempts.plan_recheck(settled.id, recheck_at)
        return settled

    def recheck(self, attempt: Attempt) -> bool:
        """Check whether an attempt that was given up has succeeded, unless another worker does.

        Returns False if the partner service was asked and did not answer.
        """
        now, account_connector_id = self._clock(), attempt.account_connector_id
        again = next_recheck(attempt, now, answered=False)
        if account_connector_id is None or not self._attempts.take_recheck(attempt.id, now, again):
            return True
        try:
            account_connector = self._partner.get_account_connector(attempt.account, account_connector_id)
        except PartnerProblem:
            return False
        if self._note_late_success(attempt, account_connector).late_success_at is None:
            self._attempts.plan_recheck(attempt.id, next_recheck(attempt, now, answered=True))
            if self._connections and account_connector and account_connector.authenticated:
                self._connections.notice(attempt, account_connector)
        return True

    def _connection_hook(self, account_connector: AccountConnector | None) -> TransactionHook | None:
        return (
            self._connections.settlement_hook(account_connector)
            if self._connections and account_connector
            else None
        )

    def _may_still_succeed(self, attempt: Attempt, now: datetime) -> bool:
        until = outcome.may_succeed_until(attempt)
        return (
            attempt.status in GIVEN_UP
            and attempt.late_success_at is None
            and until is not None
            and now < until
        )

    def _poll_for_late_success(self, attempt: Attempt, hint: Hint | None, now: datetime) -> Attempt:
        # Few requests ask about an attempt that was given up, as its page has stopped polling. One without a
        # hint may therefore poll as soon after the last poll as one with ``FOCUS``.
        polled, account_connector = self._poll_if_due(attempt, hint or Hint.FOCUS, now)
        return self._note_late_success(attempt, account_connector) if polled else attempt

    def _note_late_success(self, attempt: Attempt, account_connector: AccountConnector | None) -> Attempt:
        others = self._others(attempt, account_connector)
        changes = outcome.succeeded_late(attempt, account_connector, others)
        if changes is None:
            return attempt
        late: AttemptChanges = {**changes, "late_success_at": self._clock(), "recheck_at": None}
        succeeded = self._attempts.transition(
            attempt.id, {attempt.status}, late, self._connection_hook(account_connector)
        )
        if succeeded is None:
            return attempt
        self._events.emit(AttemptEvent.LATE_SUCCESS, succeeded)
        return succeeded

    def _decide(
        self, attempt: Attempt, hint: Hint | None, now: datetime
    ) -> tuple[AttemptChanges | None, AccountConnector | None]:
        polled, account_connector = self._poll_if_due(attempt, hint, now)
        if not polled:
            return None, None
        if redeemed := outcome.redeemed_at(attempt, account_connector):
            self._attempts.note_redeemed(attempt.id, redeemed)
        return self._changes(attempt, account_connector, hint), account_connector

    def _changes(
        self, attempt: Attempt, account_connector: AccountConnector | None, hint: Hint | None
    ) -> AttemptChanges | None:
        others = self._others(attempt, account_connector)
        return outcome.decide(attempt, account_connector, self._clock(), hint=hint, others=others)

    def _poll_if_due(
        self, attempt: Attempt, hint: Hint | None, now: datetime
    ) -> tuple[bool, AccountConnector | None]:
        """Whether a poll was made and answered, and the account connector it returned."""
        account_connector_id = attempt.account_connector_id
        if account_connector_id is None:
            return False, None
        permit = poll_permit(attempt, hint, now)
        # Checked here first: most requests come before a poll is due, and then cost no write.
        leased = permit.may_be_due(attempt) and self._attempts.lease_poll(attempt.id, now, permit)
        if not (leased or _is_last_poll(attempt, hint, now)):
            return False, None
        try:
            return True, self._partner.get_account_connector(attempt.account, account_connector_id)
        except PartnerProblem:
            return False, None
        finally:
            if leased:
                self._attempts.release_lease(attempt.id, permit.lease_end)

    def _others(self, attempt: Attempt, account_connector: AccountConnector | None) -> list[OtherSignIn]:
        # Read after the poll: a sign-in is stored before it can set the flag, so the one that set it is here.
        if not outcome.needs_others(attempt, account_connector):
            return []
        return self._attempts.other_sign_ins(attempt, outcome.others_since(attempt))


def _is_last_poll(attempt: Attempt, hint: Hint | None, now: datetime) -> bool:
    """Whether the attempt ends with this poll, which then needs no lease.

    The worker that has the lease may have died. Without a poll, a sign-in that succeeded would be reported
    as cancelled or expired.
    """
    return attempt.status in LIVE and (hint is Hint.CANCEL or now >= attempt.expires_at)
