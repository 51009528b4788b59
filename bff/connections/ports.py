"""The interface of the connection store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from bff.connections.connection import Change, Running, Stored

Decide = Callable[[Stored | None], Change | None]
"""Decides the change of a row, which may not exist yet; None for no change."""


class ConnectionStore(Protocol):
    """Stores connections. A change and its event are one transaction."""

    def of_account(self, product: str, account_id: str) -> dict[int, Stored]:
        """The stored connections of an account by account connector id, ended ones included."""

    def get(self, product: str, account_id: str, account_connector_id: int) -> Stored | None:
        """One stored connection."""

    def running(self, product: str, account_id: str, now: datetime) -> list[Running]:
        """The launched attempts of an account."""

    def is_fresh(self, account_connector_id: int, since: datetime) -> bool:
        """Whether a sign-in minted at ``since`` or later found it unconnected, and may have connected it."""

    def open_sign_ins(self, account_connector_id: int, since: datetime, at: datetime) -> list[datetime]:
        """When the sign-ins to it were minted that could still succeed after ``at``, from ``since`` on.

        Of attempts, and of sign-in URLs of the host's server, whose end nobody knows.
        """

    def user_of_url(self, product: str, account_id: str, token_sha256: str) -> str | None:
        """The user for whom the host's server minted a sign-in URL with this token; None if it did not."""

    def apply(self, change: Change, version: int | None) -> bool:
        """Store the change if the row still has this ``version`` (None: if there is no row)."""

    def decide(
        self, product: str, account_id: str, account_connector_id: int, decide: Decide
    ) -> Stored | None:
        """Lock and read a row, decide on it, and store the change; the row afterwards."""

    def touch(self, product: str, account_id: str, now: datetime, look_at: datetime | None) -> None:
        """Store that an account was checked and its connections exist."""

    def due(self, now: datetime, limit: int) -> list[tuple[str, str]]:
        """Product and account of those that are due for a check, the longest due first."""

    def schedule(self, now: datetime, limit: int) -> int:
        """Make connections due that exist and have no next check, of products that are there; how many."""

    def claim(self, product: str, account_id: str, now: datetime, until: datetime) -> bool:
        """Claim the check of a due account; of concurrent callers one gets True."""

    def postpone(self, product: str, account_id: str, until: datetime | None) -> None:
        """Move the next check of an account; None for none."""

    def take(self, blank: Stored, until: datetime, attempt: str, sharing: Sequence[str] = ()) -> bool:
        """Claim a connection that has ended or lost its grant for one attempt; False when another has it.

        An attempt may repeat its claim. An attempt that has ended has none. An unfinished sign-in URL of the
        host's server has it as long as an attempt would. ``sharing``: the products that share the account: no
        attempt of another one has it then, either.
        """

    def release(self, account_id: str, claim: str, sharing: Sequence[str]) -> None:
        """End the claim that ``take`` made for ``claim`` in this account, for all ``sharing``."""
