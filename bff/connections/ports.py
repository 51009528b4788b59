"""The interface of where connections are kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from bff.connections.connection import Change, Running, Stored

Decide = Callable[[Stored | None], Change | None]
"""What follows for a row, if there is one."""


class ConnectionStore(Protocol):
    """Where connections are kept. A change and the event that tells of it are one."""

    def of_account(self, product: str, account_id: str) -> dict[int, Stored]:
        """What is known of an account's connections, by their numbers; also of those that have ended."""

    def get(self, product: str, account_id: str, number: int) -> Stored | None:
        """What is known of one."""

    def running(self, product: str, account_id: str, now: datetime) -> list[Running]:
        """The sign-ins of an account that users are at now."""

    def is_fresh(self, number: int, since: datetime) -> bool:
        """Whether a sign-in of ours, minted since then, found it unconnected: it may have connected it."""

    def minted(self, number: int, since: datetime) -> list[datetime]:
        """When sign-ins to it were minted, by attempts and for hosts' servers, since then."""

    def apply(self, change: Change, version: int | None) -> bool:
        """Make the change if the row still has the ``version`` that was seen (None: there is no row)."""

    def decide(self, product: str, account_id: str, number: int, decide: Decide) -> Stored | None:
        """Read one, locked, and make the change that is decided on; the row as it is then."""

    def touch(self, product: str, account_id: str, now: datetime, look_at: datetime | None) -> None:
        """An account was looked at, and what stands there stands."""

    def due(self, now: datetime, limit: int) -> list[tuple[str, str]]:
        """Product and account of what is to be looked at, the longest due first."""

    def claim(self, product: str, account_id: str, now: datetime, until: datetime) -> bool:
        """Whether this caller is to look at a due account: of any number at once one is told True."""

    def postpone(self, product: str, account_id: str, until: datetime | None) -> None:
        """An account that is looked at unasked is looked at no sooner than then; None: never."""

    def take(self, blank: Stored, until: datetime, attempt: str) -> bool:
        """Keep a connection that does not stand for one attempt, until then; False when another has it.

        An attempt may take what it has again. One that has ended holds nothing.
        """
