"""Finds one connection, ends it, or gets an access token of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from bff.common.errors import ConnectionNotFound, NeedsReconnect, PartnerProblem
from bff.connect.attempt import Attempt, Hint, Status
from bff.connect.outcome import SIGN_IN_LIFE
from bff.connect.polling import AttemptPoller
from bff.connect.ports import AttemptStore
from bff.connections import changes
from bff.connections.connection import EXISTING, Change, Stored
from bff.connections.connector_keys import ConnectorKeys
from bff.connections.ledger import LEFTOVERS_EVERY, Ledger
from bff.connections.overview import Overview
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef
from bff.upstream.protocol import LAST_ID, AccessToken, AccountConnector, PartnerService

ENDING: Final = timedelta(seconds=60)
"""How long an end may take; after that its process has died."""
MOST_TRIES: Final = 5
"""How often an end is stored at most, while others store changes of the same connection."""

log = structlog.get_logger("hitchpost")


@dataclass(frozen=True)
class Found:
    """A connection of an account, as it is stored and as the partner service returned it just now.

    ``row``: the stored connection after this look. ``known_before``: the one before it. ``seen``: the account
    connector, None where there is none.
    """

    account: AccountRef
    offered: OfferedConnector
    row: Stored
    seen: AccountConnector | None
    known_before: Stored | None

    @property
    def exists(self) -> bool:
        """Whether there is something to end."""
        return self.row.state in EXISTING or changes.state_of(self.seen) in EXISTING


class Connections:
    """Operations on one connection, which is identified by its account connector's id."""

    def __init__(
        self,
        ledger: Ledger,
        partner: PartnerService,
        keys: ConnectorKeys,
        overview: Overview,
        attempts: AttemptStore,
        poller: AttemptPoller,
        clock: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._partner = partner
        self._keys = keys
        self._overview = overview
        self._attempts = attempts
        self._poller = poller
        self._clock = clock

    def find(self, account: AccountRef, offered: Iterable[OfferedConnector], name: str) -> Found:
        """The connection of this id, up to date. Raises ``ConnectionNotFound``, ``PartnerUnavailable``."""
        account_connector_id = account_connector_id_of(name)
        row = self._ledger.store.get(account.product, account.id, account_connector_id)
        running = self._ledger.store.running(account.product, account.id, self._clock())
        seen = self._partner.get_account_connector(account, account_connector_id)
        connector = self._keys.of(account, row, seen, offered)
        if connector is None:
            raise _missing(account_connector_id)
        blank = self._ledger.blank(account, connector, account_connector_id)
        return Found(account, connector, self._ledger.compare(row, blank, seen, running), seen, row)

    def stored(self, account: AccountRef, account_connector_id: int) -> Stored | None:
        """The stored connection, without a look at the partner service."""
        return self._ledger.store.get(account.product, account.id, account_connector_id)

    def known(self, account: AccountRef, offered: OfferedConnector, name: str) -> int:
        """The account connector id of a connection that can be reconnected. Raises ``ConnectionNotFound``.

        Asks the partner service only if the connection is not stored.
        """
        account_connector_id = account_connector_id_of(name)
        row = self._ledger.store.get(account.product, account.id, account_connector_id)
        if row is not None and row.removed_at is None and row.connector_key == offered.key:
            return account_connector_id
        found = self.find(account, [offered], name)
        if found.seen is None:
            raise _missing(account_connector_id)
        return account_connector_id

    def end(self, found: Found, by: str | None) -> None:
        """End a connection: cancel its attempts, remove its grant, revoke it at the third party if possible.

        ``by``: the host's user id, or another actor; reported to the host. Raises ``ConnectionNotFound`` if
        it does not exist (any more), ``PartnerUnavailable`` if it could not be ended.
        """
        account, account_connector_id = found.account, found.row.account_connector_id
        if not found.exists:
            raise _missing(account_connector_id)
        # An attempt that has succeeded is reported as connected before its connection ends.
        self._end_sign_ins(account, account_connector_id, found.seen)
        self._record_unreported(found)
        reported = self._mark(found, self._clock() + ENDING, by)
        self._end_sign_ins(account, account_connector_id)
        # A sign-in that is minted from now on is not ended.
        since = self._clock()
        try:
            gone = not self._partner.deauthenticate(account, account_connector_id)
        except PartnerProblem:
            # The call may have succeeded. The next look finds out, and knows by whom it was ended.
            self._mark(found, self._clock(), by, look=True)
            raise
        gone = self._remove(found) or gone
        ending = _Ending(since, by, gone, self._leftovers_at(found, since, gone=gone))
        for product, sequence in reported.items():
            self._note_end(replace(found, account=replace(account, product=product)), sequence, ending)
        self._overview.forget(account)

    def access_token(self, found: Found, *, force: bool = False) -> AccessToken:
        """An access token of the connection. ``force``: another one than the third party refuses.

        Raises ``NeedsReconnect``, ``NotSupportedByPartner``.
        """
        if found.row.state not in EXISTING:
            raise _missing(found.row.account_connector_id)
        try:
            return self._partner.access_token(found.account, found.row.account_connector_id, force=force)
        except NeedsReconnect:
            with contextlib.suppress(PartnerProblem):
                self._note_loss(found)
            raise

    def _mark(self, found: Found, until: datetime, by: str | None, *, look: bool = False) -> dict[str, int]:
        """Store that it is being ended, so that others do not take the end for a loss.

        In its own product and in those that share the account: they have the same connection. ``look``: it is
        checked soon. Returns how many events each of them has.
        """
        seen, store = found.row, self._ledger.store
        blank = self._ledger.blank(found.account, found.offered, seen.account_connector_id)

        def decide(row: Stored | None) -> Change:
            marked = replace(row or blank, ending_until=until, ending_by=by)
            return Change(self._ledger.due_now(marked) if look else marked)

        store.decide(seen.product, seen.account_id, seen.account_connector_id, decide)
        everywhere = {
            product: store.decide(
                product, seen.account_id, seen.account_connector_id, lambda row: decide(row) if row else None
            )
            for product in self._ledger.sharing(seen.product)
        }
        return {product: row.sequence for product, row in everywhere.items() if row}

    def _record_unreported(self, found: Found) -> None:
        """Record and report what ``found.seen`` shows and nobody has reported yet.

        The stored row may have changed since ``seen`` was read. Then it counts only if both are of the same
        sign-in.
        """
        blank = self._ledger.blank(found.account, found.offered, found.row.account_connector_id)
        row = self._ledger.store.get(blank.product, blank.account_id, blank.account_connector_id)
        if row == found.known_before or (row and found.seen and _is_of(row, found.seen)):
            self._ledger.compare(row, blank, found.seen)

    def _note_loss(self, found: Found) -> None:
        """Report to the host that the partner service found the grant lost. Raises ``PartnerProblem``.

        A sign-in that has succeeded is reported first. Else the next sign-in would hide both.
        """
        account, account_connector_id = found.account, found.row.account_connector_id
        running = list(self._running(account, account_connector_id))
        seen = self._partner.get_account_connector(account, account_connector_id) if running else None
        if seen is not None:
            for attempt in running:
                self._poller.conclude(attempt, seen, None)
        # Reads it once more: what is stored has to be read before that, and an attempt may have changed it.
        self.find(account, [found.offered], str(account_connector_id))

    def _running(self, account: AccountRef, account_connector_id: int) -> Iterator[Attempt]:
        """The running attempts of it, of all products that share the account."""
        now = self._clock()
        for product in self._ledger.sharing(account.product):
            for each in self._ledger.store.running(product, account.id, now):
                attempt = self._attempts.get(each.attempt) if each.is_for(account_connector_id) else None
                if attempt is not None:
                    yield attempt

    def _end_sign_ins(
        self, account: AccountRef, account_connector_id: int, seen: AccountConnector | None = None
    ) -> None:
        """Cancel the running attempts of it, except those whose success ``seen`` shows."""
        for running in self._running(account, account_connector_id):
            attempt = self._poller.conclude(running, seen, Hint.CANCEL) if seen is not None else running
            self._poller.settle(attempt, {"status": Status.CANCELLED, "error_code": "cancelled"})

    def _remove(self, found: Found) -> bool:
        """Uninstall a connector that may be installed several times, since it is of no use any more."""
        if not found.offered.multiple:
            return False
        try:
            self._partner.remove_connector(found.account, found.row.account_connector_id)
        except PartnerProblem as problem:
            log.warning(
                "account connector stays",
                account_connector=found.row.account_connector_id,
                error=problem.code,
            )
            return False
        return True

    def _leftovers_at(self, found: Found, since: datetime, *, gone: bool) -> datetime | None:
        """When to check what came of running sign-ins: without records they cannot be cancelled."""
        has_records = found.seen is None or found.seen.sign_ins is not None
        if (
            gone
            or has_records
            or not self._ledger.store.open_sign_ins(
                found.row.account_connector_id, since - SIGN_IN_LIFE, since
            )
        ):
            return None
        return since + LEFTOVERS_EVERY

    def _note_end(self, found: Found, reported: int, ending: _Ending) -> None:
        """Store the end in one product, to which ``reported`` events of the connection were made before.

        Meanwhile a user may have signed in again: before the grant ended, or after it.
        """
        store, account = self._ledger.store, found.account
        for _ in range(MOST_TRIES):
            row = store.get(account.product, account.id, found.row.account_connector_id)
            if row is None or (row.state not in EXISTING and row.ending_until is None):
                return
            change = ending.of(row) if row.sequence == reported else self._later(found, row, ending)
            if store.apply(change, row.version):
                return

    def _later(self, found: Found, row: Stored, ending: _Ending) -> Change:
        """The change of a connection of which something else was reported during its end: what is so now."""
        try:
            seen = self._partner.get_account_connector(found.account, row.account_connector_id)
        except PartnerProblem:
            left = replace(row, ending_until=self._clock(), ending_by=ending.by)
            return Change(self._ledger.due_now(left))
        if changes.state_of(seen) in EXISTING:
            return Change(replace(row, ending_until=None, ending_by=None))
        return ending.of(row)


@dataclass(frozen=True)
class _Ending:
    """An end that the partner service has confirmed: since when, by whom, whether nothing is left."""

    since: datetime
    by: str | None
    gone: bool
    look_at: datetime | None

    def of(self, row: Stored) -> Change:
        """The change of a stored connection by it."""
        since = max(self.since, row.changed_at)
        change = changes.disconnected(row, since, gone=self.gone, by=self.by)
        return replace(change, row=replace(change.row, look_at=self.look_at))


def account_connector_id_of(name: str) -> int:
    """The account connector's id in a connection's id. Raises ``ConnectionNotFound``."""
    # One way to write it: each spelling would be counted by itself where calls are limited.
    plain = name.isascii() and name.isdecimal() and len(name) <= 10 and name[0] != "0"
    if not plain or int(name) > LAST_ID:
        raise ConnectionNotFound(f"there is no connection {name[:60]!r}")
    return int(name)


def _is_of(row: Stored, seen: AccountConnector) -> bool:
    """Whether the stored row is of the sign-in that ``seen`` shows."""
    return row.state in EXISTING and row.authenticated_at == seen.authenticated_at


def _missing(account_connector_id: int) -> ConnectionNotFound:
    return ConnectionNotFound(f"there is no connection {account_connector_id}")
