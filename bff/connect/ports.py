"""Interfaces that the connect package needs: the attempt store, events, receipts, connections."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from bff.connect.attempt import Attempt, AttemptChanges, Hint, Status
from bff.connect.outcome import OtherSignIn
from bff.connect.poll_schedule import PollPermit
from bff.connect.timeline import Step
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef
from bff.upstream.protocol import AccountConnector

TransactionHook = Callable[[Any, Attempt], None]
"""Work that joins a store's transaction. Its first argument is the database connection."""


class ConnectionRecorder(Protocol):
    """Records connections that sign-ins of attempts have made."""

    def settlement_hook(self, account_connector: AccountConnector) -> TransactionHook:
        """Work that records the connection of a successful attempt to ``account_connector``."""

    def notice(self, attempt: Attempt, account_connector: AccountConnector) -> None:
        """Record a connection that a recheck of this given-up attempt has shown, but not who made it."""


class SignInUrlFollowUp(Protocol):
    """What follows a sign-in URL, whose connection no attempt reports."""

    def expect(self, account: AccountRef, offered: OfferedConnector, account_connector_id: int) -> None:
        """Check soon whether ``account_connector_id`` is connected: a sign-in URL for it is being minted."""

    def release(self, account: AccountRef, claimant: str) -> None:
        """End the claim that was made for the URL (``ConnectionTarget.claimant``)."""


class AttemptEvent(StrEnum):
    """What happened to an attempt, as logs name it.

    ``completed elsewhere``: another browser came to complete the sign-in. ``cannot complete``: the partner
    service does not support that the launching browser completes it.
    """

    SETTLED = "settled"
    LATE_SUCCESS = "late success"
    COMPLETED_ELSEWHERE = "completed elsewhere"
    CANNOT_COMPLETE = "cannot complete"


@dataclass(frozen=True)
class HostSignInUrl:
    """A sign-in URL minted for the host's server: for whom, for what, and when (UTC)."""

    account_connector_id: int
    product: str
    account: str
    user: str
    minted_at: datetime
    authenticated_before: bool
    token_sha256: str


class AlreadyBegun(Exception):
    """The same request, or an earlier acceptance of the same failed attempt, has begun ``attempt``."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__(attempt.id)
        self.attempt = attempt


class AttemptStore(Protocol):
    """Stores attempts. The status changes by ``transition`` only, from a status that the caller expects."""

    def add(self, attempt: Attempt) -> None:
        """Store a new attempt. Raises ``AlreadyBegun`` if one has the same id or ``idempotency_sha256``."""

    def get(self, attempt_id: str) -> Attempt | None:
        """The attempt of this id."""

    def find_by_launch_token(self, token_sha256: str) -> Attempt | None:
        """The attempt that this launch token (by its SHA-256) belongs to."""

    def find_by_return_secret(self, secret_sha256: str) -> Attempt | None:
        """The attempt whose return page has this secret (by its SHA-256)."""

    def find_by_idempotency_key(self, key_sha256: str) -> Attempt | None:
        """The attempt that was begun with this key (by its SHA-256)."""

    def transition(
        self,
        attempt_id: str,
        expected: Set[Status],
        changes: AttemptChanges,
        hook: TransactionHook | None = None,
        *,
        lease_end: datetime | None = None,
    ) -> Attempt | None:
        """Compare-and-set: apply ``changes`` if the status is one of ``expected``.

        ``lease_end``: of the caller's lease of the launch. Apply them only if no other process has taken the
        lease since, no sign-in token was minted and no form was opened. ``hook`` runs in the same
        transaction, with the changed attempt. Returns the changed attempt; None if nothing changed. A late
        success is noted once.
        """

    def find_by_support_code(self, support_code: str) -> list[Attempt]:
        """The attempts with this support code, newest first. Codes are random, so as a rule it is one."""

    def other_sign_ins(self, attempt: Attempt, since: datetime) -> list[OtherSignIn]:
        """The other sign-ins to its account connector minted at ``since`` or later, of any product."""

    def note_sign_in_url(self, minted: HostSignInUrl) -> None:
        """Store that a sign-in URL was minted outside of any attempt."""

    def lease_poll(self, attempt_id: str, now: datetime, permit: PollPermit) -> bool:
        """Take the lease of a poll until ``permit.lease_end``; False if a poll is not due.

        Counts the poll (``Attempt.polls``, ``Attempt.polled_at``).
        """

    def lease_launch(self, attempt_id: str, now: datetime, lease_end: datetime) -> bool:
        """Take the lease of another try of a launch until ``lease_end``; False while another one lasts."""

    def release_lease(self, attempt_id: str, lease_end: datetime) -> None:
        """Release a lease. If it has expired and another process has its own, that one stays."""

    def note_hint(self, attempt_id: str, hint: Hint, now: datetime) -> None:
        """Store that a page sent this hint, or that the BFF saw its cause."""

    def note_redeemed(self, attempt_id: str, at: datetime) -> None:
        """Store when the browser arrived at the partner service; only the first call counts."""

    def count_step(self, attempt_id: str, step: str, at: datetime) -> None:
        """Count a step of the timeline (``timeline.STEP_TEXTS``)."""

    def form_submissions(self, attempt_id: str) -> int:
        """How often the form of an attempt was submitted."""

    def count_submission(self, attempt_id: str, submitted_before: int, now: datetime) -> bool:
        """Compare-and-set: count one more submission; False unless there were ``submitted_before``."""

    def change_submitted(
        self, attempt_id: str, submitted_before: int, changes: AttemptChanges
    ) -> Attempt | None:
        """``transition`` of a launched attempt after a submission of its form.

        Raises ``Outdated`` if the form was submitted again since. Nothing is changed then.
        """

    def note_typed_values(self, account: AccountRef, account_connector_id: int, at: datetime) -> None:
        """Store, for longer than any attempt, that a user typed values for this account connector."""

    def has_typed_values(self, account_connector_id: int) -> bool:
        """Whether that is stored."""

    def overdue(self, now: datetime, limit: int) -> list[Attempt]:
        """Launched attempts whose time was over before ``now``, the longest overdue first."""

    def due_for_recheck(self, now: datetime, limit: int) -> list[Attempt]:
        """Attempts that were given up and are due for a recheck, the longest due first."""

    def set_aside(self, attempt_id: str, error: Exception) -> None:
        """Omit an attempt whose processing raised ``error`` from the due and overdue ones for a while.

        Raises ``error`` if the database is unavailable.
        """

    def take_recheck(self, attempt_id: str, now: datetime, again: datetime | None) -> bool:
        """Take a recheck that is due, and plan the next one; of concurrent calls one gets True."""

    def plan_recheck(self, attempt_id: str, at: datetime | None) -> None:
        """Plan the next recheck; None for none."""

    def steps(self, attempt_id: str) -> list[Step]:
        """The counted steps, unordered. The polls are one of them: how often, and when first and last."""


class ReceiptSigner(Protocol):
    """Signs receipts: statements that a user has made a connection."""

    def sign(self, attempt: Attempt) -> str | None:
        """A receipt for the host's server (a compact JWS); None unless connected and attributed."""

    def public_keys(self) -> dict[str, object]:
        """The JWK set that receipts are verified with."""


class Events(Protocol):
    """Receives events of attempts."""

    def emit(self, event: AttemptEvent, attempt: Attempt) -> None:
        """``event`` happened; ``attempt`` is as it is stored by now."""
