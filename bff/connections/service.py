"""What is done with one connection: it is found, ended, or asked for an access token."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from bff.common.errors import ConnectionNotFound, NeedsReconnect, PartnerProblem
from bff.connect.attempt import Hint, Status
from bff.connect.outcome import LATE
from bff.connect.polling import Watch
from bff.connect.ports import AttemptStore
from bff.connections import changes
from bff.connections.connection import STANDING, Change, Stored
from bff.connections.ledger import LEFTOVERS_EVERY, Ledger
from bff.connections.overview import Overview, is_of
from bff.connections.ports import Decide
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef
from bff.upstream.catalogue import Catalogue
from bff.upstream.protocol import LAST_NUMBER, AccessToken, AccountConnector, PartnerService

ENDING: Final = timedelta(seconds=60)
"""Longer than the calls may take that end a connection; whoever takes longer has died."""

log = structlog.get_logger("hitchpost")


@dataclass(frozen=True)
class Found:
    """A connection of an account, looked at now.

    ``row`` is what is known after the look, ``seen`` what the partner service answered, and ``known_before``
    the row that was stored before it was asked.
    """

    account: AccountRef
    offered: OfferedConnector
    row: Stored
    seen: AccountConnector | None
    known_before: Stored | None


class Connections:
    """The use-cases about one connection of an account, which is named by its account connector's id."""

    def __init__(
        self,
        ledger: Ledger,
        partner: PartnerService,
        catalogue: Catalogue,
        overview: Overview,
        attempts: AttemptStore,
        watch: Watch,
        clock: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._partner = partner
        self._catalogue = catalogue
        self._overview = overview
        self._attempts = attempts
        self._watch = watch
        self._clock = clock

    def find(self, account: AccountRef, offered: Iterable[OfferedConnector], name: str) -> Found:
        """The connection of this id, looked at now. Raises ``ConnectionNotFound``, ``PartnerUnavailable``."""
        number = number_of(name)
        row = self._ledger.store.get(account.product, account.id, number)
        running = self._ledger.store.running(account.product, account.id, self._clock())
        seen = self._partner.get_account_connector(account, number)
        connector = self._connector(account, offered, row, seen)
        if connector is None:
            raise _missing(number)
        blank = self._ledger.blank(account, connector, number)
        return Found(account, connector, self._ledger.compare(row, blank, seen, running), seen, row)

    def known(self, account: AccountRef, offered: OfferedConnector, name: str) -> int:
        """The number of a connection that can be signed in to again. Raises ``ConnectionNotFound``.

        The partner service is asked only for one that nothing is known of.
        """
        number = number_of(name)
        row = self._ledger.store.get(account.product, account.id, number)
        if row is not None and row.removed_at is None and row.connector_key == offered.key:
            return number
        found = self.find(account, [offered], name)
        if found.seen is None:
            raise _missing(number)
        return number

    def end(self, found: Found, by: str | None) -> None:
        """End a connection: its sign-ins, its grant at the partner service, and where it can at its source.

        ``by`` is told to the host: the user's id there, or who else it was. Whoever comes second finds it
        ended. Raises ``ConnectionNotFound`` where nothing stands, and ``PartnerUnavailable``: then it stands.
        """
        account, number = found.account, found.row.number
        standing = found.row.state in STANDING or changes.state_of(found.seen) in STANDING
        if not standing:
            raise _missing(number)
        # One that has succeeded already is told as what it is, and then ended with the rest.
        self._end_sign_ins(account, number, found.seen)
        self._tell_untold(found)
        self._mark(found, self._clock() + ENDING, by)
        self._end_sign_ins(account, number)
        # What is begun from now on is begun after the end.
        since = self._clock()
        try:
            gone = not self._partner.deauthenticate(account, number)
        except PartnerProblem:
            # It may have been done all the same: whoever looks next finds out, and knows whose doing it was.
            self._mark(found, self._clock(), by)
            raise
        gone = self._remove(found) or gone
        self._note_end(found, since, by, gone=gone)
        self._overview.forget(account)

    def access_token(self, found: Found) -> AccessToken:
        """An access token of the connection. Raises ``NeedsReconnect``, ``NotSupportedByPartner``."""
        if found.row.state not in STANDING:
            raise _missing(found.row.number)
        try:
            return self._partner.access_token(found.account, found.row.number)
        except NeedsReconnect:
            # It has ended with this very question, and the host is to be told of it.
            with contextlib.suppress(PartnerProblem):
                self.find(found.account, [found.offered], str(found.row.number))
            raise

    def _connector(
        self,
        account: AccountRef,
        offered: Iterable[OfferedConnector],
        row: Stored | None,
        seen: AccountConnector | None,
    ) -> OfferedConnector | None:
        """The offered connector that it is of: the one it was connected as, else the first that it may be."""
        offered = list(offered)
        if row is not None:
            found = next((each for each in offered if each.key == row.connector_key), None)
            return found and self._catalogue.named(found)
        told = self._catalogue.look_up(account, offered)
        ours = (each for each in offered if seen and is_of(each, told.get(each.reference), seen))
        found = next(ours, None)
        return found and self._catalogue.named(found)

    def _mark(self, found: Found, until: datetime, by: str | None) -> None:
        """Note that somebody is about to end it, until then: nobody takes half of an end for a loss."""
        seen = found.row
        blank = self._ledger.blank(found.account, found.offered, seen.number)

        def decide(row: Stored | None) -> Change:
            return Change(replace(row or blank, ending_until=until, ending_by=by))

        self._ledger.store.decide(seen.product, seen.account_id, seen.number, decide)
        self._everywhere(seen, lambda row: decide(row) if row else None)

    def _everywhere(self, row: Stored, decide: Decide) -> None:
        """For its own product, and for those that share the account: they have the same connection."""
        for product in self._ledger.sharing(row.product):
            self._ledger.store.decide(product, row.account_id, row.number, decide)

    def _tell_untold(self, found: Found) -> None:
        """Tell what the look shows and nobody has told, before the end is told.

        The look may be older than the row: then it counts only if the row is of the same sign-in.
        """
        blank = self._ledger.blank(found.account, found.offered, found.row.number)
        row = self._ledger.store.get(blank.product, blank.account_id, blank.number)
        if row == found.known_before or (row and found.seen and _is_of(row, found.seen)):
            self._ledger.compare(row, blank, found.seen)

    def _end_sign_ins(self, account: AccountRef, number: int, seen: AccountConnector | None = None) -> None:
        """Cancel the sign-ins to it that are under way; those that have succeeded by what is ``seen`` did."""
        now, products = self._clock(), self._ledger.sharing(account.product)
        running = [each for key in products for each in self._ledger.store.running(key, account.id, now)]
        for each in running:
            attempt = self._attempts.get(each.attempt) if each.is_for(number) else None
            if attempt is not None and seen is not None:
                attempt = self._watch.conclude(attempt, seen, Hint.CANCEL)
            if attempt is not None:
                self._watch.settle(attempt, {"status": Status.CANCELLED, "error_code": "cancelled"})

    def _remove(self, found: Found) -> bool:
        """Of a connector that may be there several times, one that is empty now is of no use."""
        if not found.offered.multiple:
            return False
        try:
            self._partner.remove_connector(found.account, found.row.number)
        except PartnerProblem as problem:
            log.warning("account connector stays", account_connector=found.row.number, error=problem.code)
            return False
        return True

    def _note_end(self, found: Found, since: datetime, by: str | None, *, gone: bool) -> None:
        ended = found.row
        # Sign-ins that a partner service with one flag cannot end: it is looked what becomes of them.
        tells = found.seen is None or found.seen.sign_ins is not None
        is_open = not gone and not tells and self._ledger.store.minted(ended.number, since - LATE)
        look_at = since + LEFTOVERS_EVERY if is_open else None

        def decide(row: Stored | None) -> Change | None:
            if row is None or (row.state not in STANDING and row.ending_until is None):
                return None
            change = changes.disconnected(row, since, gone=gone, by=by)
            return replace(change, row=replace(change.row, look_at=look_at))

        self._everywhere(ended, decide)


def number_of(name: str) -> int:
    """The account connector's id that a connection is named by. Raises ``ConnectionNotFound``."""
    # One way to write it: each spelling would be counted by itself where calls are limited.
    plain = name.isascii() and name.isdecimal() and len(name) <= 10 and name[0] != "0"
    if not plain or int(name) > LAST_NUMBER:
        raise ConnectionNotFound(f"there is no connection {name[:60]!r}")
    return int(name)


def _is_of(row: Stored, seen: AccountConnector) -> bool:
    """Whether a row tells of the very sign-in that is seen."""
    return row.state in STANDING and row.authenticated_at == seen.authenticated_at


def _missing(number: int) -> ConnectionNotFound:
    return ConnectionNotFound(f"there is no connection {number}")
