"""Polls the partner service about attempts, and settles those that have ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bff.common.errors import PartnerProblem
from bff.connect import outcome
from bff.connect.attempt import GIVEN_UP, LIVE, Attempt, AttemptChanges, Hint, Status
from bff.connect.outcome import OtherSignIn
from bff.connect.poll_schedule import next_look, poll_permit
from bff.connect.ports import AttemptStore, Connections, Events, TransactionHook
from bff.upstream.protocol import AccountConnector, PartnerService


class AttemptPoller:
    """Reads the outcome of attempts from the partner service."""

    def __init__(
        self,
        attempts: AttemptStore,
        partner: PartnerService,
        events: Events,
        clock: Callable[[], datetime],
        connections: Connections | None = None,
    ) -> None:
        self._attempts = attempts
        self._partner = partner
        self._events = events
        self._clock = clock
        self._connections = connections

    def poll(self, attempt: Attempt, hint: Hint | None = None) -> Attempt:
        """The attempt, polled if a poll is due, and settled if it has ended or its time is over."""
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
            return self._look_for_late_success(attempt, hint, now)
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
        claim: datetime | None = None,
    ) -> Attempt:
        """End a live attempt and return it as it is then. Of concurrent calls the first one counts.

        ``account_connector``: as just read. Updates its connection if the attempt ends connected. ``claim``:
        the caller's claim of the launch, without which it may not end it (``AttemptStore.transition``).
        """
        succeeded = account_connector if changes.get("status") is Status.CONNECTED else None
        # By the clock as it is now: hosts list what has ended since a time, and a poll may have taken long.
        changes = {**changes, "settled_at": self._clock()}
        settled = self._attempts.transition(
            attempt.id, LIVE, changes, self._connection_hook(succeeded), claim=claim
        )
        if settled is None:
            return self._attempts.get(attempt.id) or attempt
        self._events.emit("settled", settled)
        return settled

    def give_up(self, attempt: Attempt, changes: AttemptChanges) -> Attempt:
        """End a live attempt whose sign-in may still succeed: it is looked at again."""
        if attempt.status not in LIVE:
            return attempt
        look_at = next_look(attempt, self._clock(), answered=False)
        settled = self.settle(attempt, {**changes, "look_at": look_at})
        if look_at is None and settled.status in GIVEN_UP:
            # A launch may have stored its account connector since the attempt was read.
            look_at = next_look(settled, self._clock(), answered=False)
            if look_at is not None:
                self._attempts.plan_look(settled.id, look_at)
        return settled

    def look_back(self, attempt: Attempt) -> bool:
        """Look whether an attempt that was given up has succeeded.

        Returns False if the partner service is unavailable.
        """
        now, account_connector_id = self._clock(), attempt.account_connector_id
        again = next_look(attempt, now, answered=False)
        if account_connector_id is None or not self._attempts.claim_look(attempt.id, now, again):
            return True
        try:
            account_connector = self._partner.get_account_connector(attempt.account, account_connector_id)
        except PartnerProblem:
            return False
        if self._note_late_success(attempt, account_connector).late_success_at is None:
            self._attempts.plan_look(attempt.id, next_look(attempt, now, answered=True))
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

    def _look_for_late_success(self, attempt: Attempt, hint: Hint | None, now: datetime) -> Attempt:
        # Pages no longer ask about such an attempt. So a request without a hint may poll as soon
        # after the last poll as one with a hint.
        polled, account_connector = self._poll_if_due(attempt, hint or Hint.FOCUS, now)
        return self._note_late_success(attempt, account_connector) if polled else attempt

    def _note_late_success(self, attempt: Attempt, account_connector: AccountConnector | None) -> Attempt:
        others = self._others(attempt, account_connector)
        changes = outcome.succeeded_late(attempt, account_connector, others)
        if changes is None:
            return attempt
        late: AttemptChanges = {**changes, "late_success_at": self._clock(), "look_at": None}
        succeeded = self._attempts.transition(
            attempt.id, {attempt.status}, late, self._connection_hook(account_connector)
        )
        if succeeded is None:
            return attempt
        self._events.emit("late success", succeeded)
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
        claimed = permit.may_be_due(attempt) and self._attempts.claim_poll(attempt.id, now, permit)
        if not (claimed or _is_last_poll(attempt, hint, now)):
            return False, None
        try:
            return True, self._partner.get_account_connector(attempt.account, account_connector_id)
        except PartnerProblem:
            return False, None
        finally:
            if claimed:
                self._attempts.release(attempt.id, permit.claimed_until)

    def _others(self, attempt: Attempt, account_connector: AccountConnector | None) -> list[OtherSignIn]:
        # Read after the poll: a sign-in is stored before it can set the flag, so the one that set it is here.
        if not outcome.needs_others(attempt, account_connector):
            return []
        return self._attempts.others(attempt, outcome.others_since(attempt))


def _is_last_poll(attempt: Attempt, hint: Hint | None, now: datetime) -> bool:
    """Whether the attempt ends with this poll, which then needs no claim.

    The worker that has the claim may have died. Without a poll, a sign-in that succeeded would be reported
    as cancelled or expired.
    """
    return attempt.status in LIVE and (hint is Hint.CANCEL or now >= attempt.expires_at)
