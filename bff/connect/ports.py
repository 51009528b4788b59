"""Interfaces of what an attempt needs: its store, its events, its receipts."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bff.connect.attempt import Attempt, AttemptChanges, Hint, Status
from bff.connect.outcome import OtherSignIn
from bff.connect.poll_schedule import Turn
from bff.connect.timeline import Step
from bff.upstream.protocol import AccountConnector

Beside = Callable[[Any, Attempt], None]
"""What is done in the transaction of a store, which only another store understands."""


class Connections(Protocol):
    """Where it is noted what a sign-in made of a connection."""

    def settled(self, seen: AccountConnector) -> Beside:
        """What to do as an attempt is found to have succeeded; ``seen`` is the look that showed it."""


@dataclass(frozen=True)
class MintedUrl:
    """A sign-in URL that a host's server asked for: for whom, for what, and when (UTC)."""

    account_connector_id: int
    product: str
    account: str
    user: str
    minted_at: datetime
    authenticated_before: bool


class AlreadyBegun(Exception):
    """There is an attempt that was begun by the same request or choice. ``attempt`` is that one."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__(attempt.id)
        self.attempt = attempt


class AttemptStore(Protocol):
    """Where attempts live. Only ``transition`` changes one, and only from a status that was expected."""

    def add(self, attempt: Attempt) -> None:
        """Keep a new attempt. Raises ``AlreadyBegun`` when one has the same id or ``idempotency_sha256``."""

    def get(self, attempt_id: str) -> Attempt | None:
        """The attempt of this id."""

    def find_by_launch_token(self, token_sha256: str) -> Attempt | None:
        """The attempt that this launch token (by its SHA-256) belongs to."""

    def find_by_return_secret(self, secret_sha256: str) -> Attempt | None:
        """The attempt whose return page has this secret (by its SHA-256)."""

    def transition(
        self,
        attempt_id: str,
        expected: Set[Status],
        changes: AttemptChanges,
        beside: Beside | None = None,
    ) -> Attempt | None:
        """Compare-and-set: apply ``changes`` if the status is one of ``expected``.

        The attempt as it is afterwards; None when the status was another. ``beside`` is done in the same
        transaction, with the attempt as it is then.
        """

    def find_by_support_code(self, support_code: str) -> list[Attempt]:
        """The attempts that show this support code, newest first: one, as a rule."""

    def others(self, attempt: Attempt, since: datetime) -> list[OtherSignIn]:
        """Every other sign-in to its account connector that was minted since then, of any product."""

    def note_sign_in_url(self, minted: MintedUrl) -> None:
        """A sign-in is possible that has no attempt around it."""

    def claim_check(self, attempt_id: str, now: datetime, turn: Turn) -> bool:
        """Whether this caller may ask the partner service now. One at a time: ``end_check`` when done."""

    def end_check(self, attempt_id: str) -> None:
        """The question that ``claim_check`` allowed has been answered, or has failed."""

    def note_hint(self, attempt_id: str, hint: Hint, now: datetime) -> None:
        """A page was woken by this signal."""

    def note_begun(self, attempt_id: str, at: datetime) -> None:
        """The browser had arrived at the partner service."""

    def note(self, attempt_id: str, step: str, at: datetime) -> None:
        """Something else happened that belongs into the story (``timeline.SENTENCES``)."""

    def overdue(self, now: datetime, limit: int) -> list[Attempt]:
        """Launched attempts that should have ended before ``now``, the longest overdue first."""

    def steps(self, attempt_id: str) -> list[Step]:
        """What was noted of an attempt, and how often the partner service was asked."""


class ReceiptSigner(Protocol):
    """Who signs for what an attempt came to."""

    def sign(self, attempt: Attempt) -> str | None:
        """A receipt for the host's server (a compact JWS); None unless its user is known to have done it."""

    def public_keys(self) -> dict[str, object]:
        """The JWK set that receipts are verified with."""


class Events(Protocol):
    """Whom the core tells what happened to attempts."""

    def tell(self, event: str, attempt: Attempt) -> None:
        """Something happened: ``settled``, ``late success``, ``completed elsewhere``, ``cannot complete``."""
