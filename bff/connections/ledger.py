"""Keeps the stored connections up to date with what the partner service reports."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from bff.connect.attempt import Attempt
from bff.connect.outcome import LEEWAY, SIGN_IN_LIFE
from bff.connections import changes
from bff.connections.connection import EXISTING, Change, Running, State, Stored
from bff.connections.ports import ConnectionStore, Decide
from bff.content.product import OfferedConnector, is_draft
from bff.identity.principal import AccountRef
from bff.upstream.protocol import AccountConnector

SEEN_EVERY: Final = timedelta(minutes=10)
"""How often a check without changes is stored."""
LEFTOVERS_EVERY: Final = timedelta(minutes=5)
"""How often to check, for an hour, whether a running sign-in has connected again what was ended."""
LEFTOVERS_FOR: Final = SIGN_IN_LIFE + 2 * LEFTOVERS_EVERY
"""Until the last of these checks is over."""
TAKEN: Final = timedelta(seconds=60)
"""How long a claim lasts: longer than minting takes."""
JUST_NOW: Final = timedelta(seconds=60)
"""Longer than it takes to store what the partner service returned."""
PORTION: Final = 1000
"""Connections that are made due in one transaction: on SQLite, others wait for it."""
SPREAD: Final = 0.2
"""Random share by which the next check is moved, so that checks of many connections spread out."""


class Ledger:
    """Compares the partner service's account connectors with the stored connections, and stores the changes.

    ``every``: time between checks without a request; None for none. ``within(transaction, product, account,
    account_connector_id, decide)`` decides in a transaction of another store. ``sharing``: the
    products that share a product's accounts, itself included.
    """

    def __init__(
        self,
        store: ConnectionStore,
        clock: Callable[[], datetime],
        every: timedelta | None,
        within: Callable[[Any, str, str, int, Decide], object],
        sharing: Callable[[str], Sequence[str]] = lambda product: (product,),
    ) -> None:
        self.store = store
        self._clock = clock
        self._every = every
        self._within = within
        self.sharing = sharing

    def blank(self, account: AccountRef, offered: OfferedConnector, account_connector_id: int) -> Stored:
        """A connection that is not stored yet."""
        now = self._clock()
        return Stored(
            account.product,
            account.id,
            account_connector_id,
            offered.key,
            offered.name,
            State.DISCONNECTED,
            now,
            now,
        )

    def compare(
        self,
        row: Stored | None,
        blank: Stored,
        seen: AccountConnector | None,
        running: Iterable[Running] = (),
    ) -> Stored:
        """The connection after this look. ``row`` was read before ``seen``.

        While a user signs in to it, the change is left to the attempt, which knows the user: it is shown but
        not stored. Except a lost grant, which no sign-in causes. Connections of drafts are never stored.
        ``blank`` has the connector that offers it now: a product file may have given that another key.
        """
        now, before = self._clock(), row
        row = _keyed(row, blank)
        left = any(attempt.is_for(blank.account_connector_id) for attempt in running) and not changes.is_lost(
            row, seen
        )
        if (left or is_draft(blank.product)) and seen is not None:
            return changes.shown(row or blank, seen)
        if row is not None and self.is_leftover(row, seen):
            return row
        fresh = row is None and self._is_fresh(blank.account_connector_id, seen, now - SIGN_IN_LIFE - LEEWAY)
        change = changes.observed(row, blank, seen, now, fresh=fresh)
        if change is not None:
            change = self._scheduled(self._by_url(change, seen), now)
        elif row is not None and row is not before:
            change = Change(row)
        else:
            return row or blank
        if self.store.apply(change, row.version if row else None):
            return change.row
        # Another process has stored a change since ``row`` was read.
        return self.store.get(blank.product, blank.account_id, blank.account_connector_id) or blank

    def _by_url(self, change: Change, seen: AccountConnector | None) -> Change:
        """The change with its user, if the latest sign-in was by a URL of the host's server."""
        row, token = change.row, changes.latest_token(seen)
        if row.connected_by is not None or token is None or row.state not in EXISTING:
            return change
        user = self.store.user_of_url(row.product, row.account_id, token)
        return replace(change, row=replace(row, connected_by=user))

    def _is_fresh(self, account_connector_id: int, seen: AccountConnector | None, since: datetime) -> bool:
        """Whether a sign-in by the BFF made this connection, not stored yet, at ``since`` or later."""
        if seen is None or not seen.authenticated:
            return False
        sign_ins = seen.sign_ins or ()
        return any(sign_in.result == "connected" and sign_in.at >= since for sign_in in sign_ins) or (
            self.store.is_fresh(account_connector_id, since)
        )

    def is_leftover(self, row: Stored, seen: AccountConnector | None) -> bool:
        """Whether an ended connection was connected again by a sign-in that was open at the end.

        Happens only at a partner service that keeps no records, since it cannot cancel running sign-ins. What
        no such sign-in can have connected stands: somebody has set it up at the partner service.
        """
        has_ended = row.state is State.DISCONNECTED and row.sequence > 0
        if not has_ended or seen is None or seen.sign_ins is not None or not seen.authenticated:
            return False
        if self._clock() - row.changed_at > LEFTOVERS_FOR:
            return False
        # It was not connected when it was last looked at: only what could still succeed then counts.
        since = max(row.changed_at, row.seen_at) - SIGN_IN_LIFE
        minted = self.store.open_sign_ins(row.account_connector_id, since, row.changed_at)
        return bool(minted) and max(minted) <= row.changed_at

    def next_look(self, row: Stored) -> datetime | None:
        """When to check a connection that does not exist: while sign-ins to it are open; else None."""
        now = self._clock()
        is_open = self.store.open_sign_ins(row.account_connector_id, now - SIGN_IN_LIFE, row.changed_at)
        return now + LEFTOVERS_EVERY if is_open else None

    def expect(self, account: AccountRef, offered: OfferedConnector, account_connector_id: int) -> None:
        """Check soon whether a sign-in outside of any attempt, which is being minted, has connected it."""
        if self._every is None or is_draft(account.product):
            return
        blank = self.blank(account, offered, account_connector_id)
        at = blank.changed_at + LEFTOVERS_EVERY

        def decide(row: Stored | None) -> Change | None:
            if row is not None and (row.state is State.CONNECTED or (row.look_at and row.look_at <= at)):
                return None
            return Change(replace(row or blank, look_at=at, removed_at=None))

        self.store.decide(account.product, account.id, account_connector_id, decide)

    def touch(self, account: AccountRef, rows: Mapping[int, Stored]) -> None:
        """Store that an account was checked, at most every ``SEEN_EVERY``."""
        now, existing = self._clock(), [row for row in rows.values() if row.state in EXISTING]
        if any(now - row.seen_at >= SEEN_EVERY for row in existing):
            self.touched(account)

    def touched(self, account: AccountRef) -> None:
        """Store that an account was checked, and when the next check is due."""
        now = self._clock()
        self.store.touch(account.product, account.id, now, self._next(now))

    def schedule(self) -> bool:
        """Make some connections due that were stored while there were no checks; whether more may be left."""
        return self._every is not None and self.store.schedule(self._clock(), PORTION) == PORTION

    def postpone(self, account: AccountRef) -> None:
        """Move an account that cannot be checked to the usual next check."""
        self.store.postpone(account.product, account.id, self._next(self._clock()))

    def due_at(self, row: Stored, at: datetime) -> Stored:
        """The connection, to be checked then; as it is where there are no checks without a request."""
        return row if self._every is None else replace(row, look_at=at)

    def lost(self, account: AccountRef) -> set[int]:
        """The account connectors that need a new sign-in, of all products that share the account."""
        rows = (
            row
            for product in self.sharing(account.product)
            for row in self.store.of_account(product, account.id).values()
        )
        return {row.account_connector_id for row in rows if row.state is State.NEEDS_RECONNECT}

    def busy(self, account: AccountRef) -> set[int]:
        """The account connectors that users are signing in to now, of all products that share the account."""
        now = self._clock()
        return {
            account_connector_id
            for product in self.sharing(account.product)
            for each in self.store.running(product, account.id, now)
            for account_connector_id in (each.account_connector_id, each.wanted_connection)
            if account_connector_id is not None
        }

    def claim(
        self, account: AccountRef, offered: OfferedConnector, account_connector_id: int, claimant: str
    ) -> bool:
        """Reserve this account connector for ``claimant``, for ``TAKEN``; False when another one has it."""
        blank = self.blank(account, offered, account_connector_id)
        return self.store.take(blank, self._clock() + TAKEN, claimant, self.sharing(account.product))

    def release(self, account: AccountRef, claimant: str) -> None:
        """End the claim of a claimant that is no attempt, so that its account connector is free at once."""
        self.store.release(account.id, claimant, self.sharing(account.product))

    def notice(self, attempt: Attempt, seen: AccountConnector) -> None:
        """Record a connection that a look at this attempt, which was given up, has shown.

        Another sign-in may have made it, so that it is nobody's success; somebody has to be told of it.
        """
        account = replace(attempt.account, product=attempt.product)
        row = self.store.get(account.product, account.id, seen.id)
        running = self.store.running(account.product, account.id, self._clock())
        self.compare(row, row or self.blank(account, attempt.connector, seen.id), seen, running)

    def settlement_hook(self, seen: AccountConnector) -> Callable[[Any, Attempt], None]:
        """The work that stores the connection, in the transaction that settles the attempt."""

        def note(transaction: Any, attempt: Attempt) -> None:
            if is_draft(attempt.product):
                return
            account = replace(attempt.account, product=attempt.product)
            blank, now = self.blank(account, attempt.connector, seen.id), self._clock()
            fresh = self.store.is_fresh(seen.id, now - SIGN_IN_LIFE - LEEWAY)

            def decide(row: Stored | None) -> Change | None:
                if row is not None and self.is_leftover(row, seen):
                    return None  # The next look ends it again.
                change = changes.signed_in(row, blank, attempt, seen, now, fresh=fresh)
                lost = changes.state_of(seen) is State.NEEDS_RECONNECT
                return change and self._scheduled(change, now, soon=lost or _ended_just_now(row, now))

            self._within(transaction, attempt.product, attempt.account.id, seen.id, decide)

        return note

    def _scheduled(self, change: Change, now: datetime, *, soon: bool = False) -> Change:
        later = self._next(now) if change.row.state in EXISTING else None
        at = now if soon and later else later
        return replace(change, row=replace(change.row, seen_at=now, look_at=at))

    def _next(self, now: datetime) -> datetime | None:
        if self._every is None:
            return None
        return now + self._every * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311  # spreads the work


def _keyed(row: Stored | None, blank: Stored) -> Stored | None:
    """The row with the connector's key of today; itself if it has that."""
    if row is None or row.connector_key == blank.connector_key:
        return row
    return replace(row, connector_key=blank.connector_key, connector_name=blank.connector_name)


def _ended_just_now(row: Stored | None, now: datetime) -> bool:
    """Whether a connection may have ended after the partner service returned what is stored now."""
    if row is None or row.state is not State.DISCONNECTED or row.sequence == 0:
        return False
    return now - row.changed_at < JUST_NOW
