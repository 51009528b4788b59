"""Watching an attempt: who may ask the partner service when, and what its answer changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bff.common.errors import PartnerProblem
from bff.connect import outcome
from bff.connect.attempt import GIVEN_UP, LIVE, Attempt, AttemptChanges, Hint, Status
from bff.connect.outcome import LATE, OtherSignIn
from bff.connect.poll_schedule import turn
from bff.connect.ports import AttemptStore, Beside, Connections, Events
from bff.upstream.protocol import AccountConnector, PartnerService


class Watch:
    """Reads the outcome of attempts at the partner service."""

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

    def observe(self, attempt: Attempt, hint: Hint | None = None) -> Attempt:
        """The attempt after asking the partner service, if it is time to ask. An outage changes nothing."""
        now = self._clock()
        if attempt.status in LIVE:
            if hint is not None:
                self._attempts.note_hint(attempt.id, hint, now)
            changes, seen = self._news(attempt, hint, now)
            changes = changes or outcome.expire(attempt, now)
            return self._settle(attempt, changes, seen) if changes else attempt
        if self._may_still_succeed(attempt, now):
            return self._look_for_late_success(attempt, hint, now)
        return attempt

    def conclude(self, attempt: Attempt, seen: AccountConnector, hint: Hint) -> Attempt:
        """The attempt after a look at its account connector that somebody else made just now."""
        others = self._others(attempt, seen)
        changes = outcome.decide(attempt, seen, self._clock(), hint=hint, others=others)
        return self._settle(attempt, changes, seen) if changes else attempt

    def settle(
        self, attempt: Attempt, changes: AttemptChanges, seen: AccountConnector | None = None
    ) -> Attempt:
        """End a live attempt. Of several ends at once the first stands; the attempt as it is then.

        ``seen`` is the account connector as a success left it: what it makes of the connection is noted.
        """
        return self._settle(attempt, changes, seen)

    def _settle(self, attempt: Attempt, changes: AttemptChanges, seen: AccountConnector | None) -> Attempt:
        succeeded = seen if changes.get("status") is Status.CONNECTED else None
        changes = {"settled_at": self._clock(), **changes}
        settled = self._attempts.transition(attempt.id, LIVE, changes, self._beside(succeeded))
        if settled is None:
            return self._attempts.get(attempt.id) or attempt
        self._events.tell("settled", settled)
        return settled

    def _beside(self, seen: AccountConnector | None) -> Beside | None:
        return self._connections.settled(seen) if self._connections and seen else None

    def _may_still_succeed(self, attempt: Attempt, now: datetime) -> bool:
        return (
            attempt.status in GIVEN_UP
            and attempt.late_success_at is None
            and attempt.launched_at is not None
            and now - attempt.launched_at < LATE
        )

    def _look_for_late_success(self, attempt: Attempt, hint: Hint | None, now: datetime) -> Attempt:
        # No page polls any more: whoever looks now wants to know, and may look only once.
        asked, seen = self._ask(attempt, hint or Hint.FOCUS, now)
        news = outcome.succeeded_late(attempt, seen, self._others(attempt, seen)) if asked else None
        if news is None:
            return attempt
        late: AttemptChanges = {**news, "late_success_at": now}
        told = self._attempts.transition(attempt.id, {attempt.status}, late, self._beside(seen))
        if told is None:
            return attempt
        self._events.tell("late success", told)
        return told

    def _news(
        self, attempt: Attempt, hint: Hint | None, now: datetime
    ) -> tuple[AttemptChanges | None, AccountConnector | None]:
        asked, seen = self._ask(attempt, hint, now)
        if not asked:
            return None, None
        if begun := outcome.begun_at(attempt, seen):
            self._attempts.note_begun(attempt.id, begun)
        others = self._others(attempt, seen)
        return outcome.decide(attempt, seen, self._clock(), hint=hint, others=others), seen

    def _ask(
        self, attempt: Attempt, hint: Hint | None, now: datetime
    ) -> tuple[bool, AccountConnector | None]:
        """Whether the partner service answered, and what."""
        number = attempt.account_connector_id
        if number is None or not (self._claim(attempt, hint, now) or _is_last_look(attempt, hint, now)):
            return False, None
        try:
            return True, self._partner.get_account_connector(attempt.account, number)
        except PartnerProblem:
            return False, None
        finally:
            self._attempts.end_check(attempt.id)

    def _claim(self, attempt: Attempt, hint: Hint | None, now: datetime) -> bool:
        """Whether it is this caller's turn to ask."""
        ours = turn(attempt, hint, now)
        # Most pages look between two turns: that costs them no write.
        return ours.may_have_come(attempt) and self._attempts.claim_check(attempt.id, now, ours)

    def _others(self, attempt: Attempt, seen: AccountConnector | None) -> list[OtherSignIn]:
        # Asked for after the flag was read: whoever may have set it had been noted before.
        if not outcome.needs_others(attempt, seen):
            return []
        return self._attempts.others(attempt, outcome.others_since(attempt))


def _is_last_look(attempt: Attempt, hint: Hint | None, now: datetime) -> bool:
    """Whether the attempt ends now, whatever is seen: then the question is asked out of turn.

    The worker that has the turn may have died, and a sign-in that succeeded would be told as given up.
    """
    return attempt.status in LIVE and (hint is Hint.CANCEL or now >= attempt.expires_at)
