"""Ends a connection, in every product that shares it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from bff.common.errors import PartnerProblem
from bff.connect.outcome import SIGN_IN_LIFE
from bff.connections import changes
from bff.connections.connection import EXISTING, Change, Stored
from bff.connections.ledger import LEFTOVERS_EVERY, Ledger
from bff.connections.overview import Overview
from bff.connections.running_sign_ins import RunningSignIns
from bff.connections.service import Found, no_such_connection
from bff.upstream.protocol import AccountConnector, PartnerService

ENDING: Final = timedelta(seconds=60)
"""How long an end may take; after that its process has died."""
MOST_TRIES: Final = 5
"""How often an end is stored at most, while others store changes of the same connection."""

log = structlog.get_logger("hitchpost")


class Ending:
    """Ends connections."""

    def __init__(
        self,
        ledger: Ledger,
        partner: PartnerService,
        overview: Overview,
        sign_ins: RunningSignIns,
        clock: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._partner = partner
        self._overview = overview
        self._sign_ins = sign_ins
        self._clock = clock

    def end(
        self, found: Found, by: str | None, begin: Callable[[datetime | None], None] = lambda _: None
    ) -> None:
        """End a connection: cancel its attempts, remove its grant, revoke it at the third party if possible.

        ``by``: the host's user id, or another actor; reported to the host. ``begin`` is called before the
        partner service, with the ``connected_at`` of what is ended. Raises ``ConnectionNotFound`` if it does
        not exist (any more), ``PartnerUnavailable`` if it could not be ended.
        """
        account, account_connector_id = found.account, found.row.account_connector_id
        if not found.exists:
            raise no_such_connection(account_connector_id)
        # An attempt that has succeeded is reported as connected before its connection ends.
        self._sign_ins.cancel(account, account_connector_id, found.seen)
        self._record_unreported(found)
        marked = self._mark(found, self._clock() + ENDING, by)
        self._sign_ins.cancel(account, account_connector_id)
        begin(marked[found.row.product].connected_at)
        # A sign-in that is minted from now on is not ended.
        since = self._clock()
        try:
            gone = not self._partner.deauthenticate(account, account_connector_id)
        except PartnerProblem:
            # The call may have succeeded. The next look finds out, and knows by whom it was ended.
            self._mark(found, self._clock(), by)
            raise
        gone = self._remove(found) or gone
        ended = _Ended(since, by, gone, self._leftovers_at(found, since, gone=gone))
        for product, row in marked.items():
            self._note_end(replace(found, account=replace(account, product=product)), row.sequence, ended)
        self._overview.forget(account)

    def _mark(self, found: Found, until: datetime, by: str | None) -> dict[str, Stored]:
        """Store that it is being ended, so that others do not take the end for a loss.

        In its own product and in those that share the account: they have the same connection. It is checked
        at ``until``, in case this process dies. Returns what each of them has stored.
        """
        seen, store = found.row, self._ledger.store
        blank = self._ledger.blank(found.account, found.offered, seen.account_connector_id)

        def decide(row: Stored | None) -> Change:
            marked = replace(row or blank, ending_until=until, ending_by=by)
            return Change(self._ledger.due_at(marked, until))

        store.decide(seen.product, seen.account_id, seen.account_connector_id, decide)
        everywhere = {
            product: store.decide(
                product, seen.account_id, seen.account_connector_id, lambda row: decide(row) if row else None
            )
            for product in self._ledger.sharing(seen.product)
        }
        return {product: row for product, row in everywhere.items() if row}

    def _record_unreported(self, found: Found) -> None:
        """Record and report what ``found.seen`` shows and nobody has reported yet.

        The stored row may have changed since ``seen`` was read. Then it counts only if both are of the same
        sign-in.
        """
        blank = self._ledger.blank(found.account, found.offered, found.row.account_connector_id)
        row = self._ledger.store.get(blank.product, blank.account_id, blank.account_connector_id)
        if row == found.known_before or (row and found.seen and _is_of(row, found.seen)):
            self._ledger.compare(row, blank, found.seen)

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

    def _note_end(self, found: Found, reported: int, ended: _Ended) -> None:
        """Store the end in one product, to which ``reported`` events of the connection were made before.

        Meanwhile a user may have signed in again: before the grant ended, or after it.
        """
        store, account = self._ledger.store, found.account
        for _ in range(MOST_TRIES):
            row = store.get(account.product, account.id, found.row.account_connector_id)
            if row is None or (row.state not in EXISTING and row.ending_until is None):
                return
            change = ended.of(row) if row.sequence == reported else self._later(found, row, ended)
            if store.apply(change, row.version):
                return

    def _later(self, found: Found, row: Stored, ended: _Ended) -> Change:
        """The change of a connection of which something else was reported during its end: what is so now."""
        try:
            seen = self._partner.get_account_connector(found.account, row.account_connector_id)
        except PartnerProblem:
            now = self._clock()
            return Change(self._ledger.due_at(replace(row, ending_until=now, ending_by=ended.by), now))
        if changes.state_of(seen) in EXISTING:
            return Change(replace(row, ending_until=None, ending_by=None))
        return ended.of(row)


@dataclass(frozen=True)
class _Ended:
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


def _is_of(row: Stored, seen: AccountConnector) -> bool:
    """Whether the stored row is of the sign-in that ``seen`` shows."""
    return row.state in EXISTING and row.authenticated_at == seen.authenticated_at
