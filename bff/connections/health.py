"""Looks at connections although nobody asks, seldom and in a bounded way, so that servers hear of an end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from bff.common.errors import HitchpostError, PartnerProblem
from bff.connect.outcome import LATE
from bff.connections.connection import STANDING, Change, Stored
from bff.connections.ledger import LEFTOVERS_EVERY, Ledger
from bff.identity.principal import AccountRef
from bff.upstream.protocol import AccountConnector, PartnerService, whole_of

AT_ONCE: Final = 20
"""Accounts that one round of one worker looks at: with three rounds a minute, one a second."""
LEASE: Final = timedelta(minutes=5)
"""Longer than a look may take: the next worker tries then, should this one have died."""

log = structlog.get_logger("hitchpost.housekeeping")


class Health:
    """One look at each account that has something connected, every so often (``Ledger.every``).

    Any number of workers may do it at once: an account is claimed by the one statement that moves its due
    time. An outage ends the round, and what was due stays so.
    """

    def __init__(self, ledger: Ledger, partner: PartnerService, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._partner = partner
        self._clock = clock

    def look(self, over: Callable[[], bool] = lambda: False) -> int:
        """One round; how many accounts were looked at. ``over`` says whether to stop."""
        store, looked = self._ledger.store, 0
        for product, account_id in store.due(self._clock(), AT_ONCE):
            now = self._clock()
            if over():
                break
            if not store.claim(product, account_id, now, now + LEASE):
                continue
            try:
                self._look_at(AccountRef(account_id, account_id, product))
            except PartnerProblem as problem:
                log.info("connections not looked at", product=product, error=problem.code)
                break
            except HitchpostError as problem:
                log.warning("connections not looked at", product=product, error=problem.code)
                continue
            looked += 1
        return looked

    def _look_at(self, account: AccountRef) -> None:
        store = self._ledger.store
        known = store.of_account(account.product, account.id)
        running = store.running(account.product, account.id, self._clock())
        installed = {item.id: item for item in self._partner.list_account_connectors(account)}
        for number, row in known.items():
            if row.state not in STANDING and row.look_at is None:
                continue
            item = installed.get(number)
            seen = (
                whole_of(self._partner, account, item)
                if item
                else self._partner.get_account_connector(account, number)
            )
            if row.state in STANDING:
                self._ledger.compare(row, row, seen, running)
            else:
                self._end_leftover(account, row, seen)
        self._ledger.touched(account)

    def _end_leftover(self, account: AccountRef, row: Stored, seen: AccountConnector | None) -> None:
        """End it again if a sign-in has connected it that was begun before it was ended."""
        if self._ledger.is_leftover(row, seen):
            self._partner.deauthenticate(account, row.number)
            log.info("connection ended again", product=row.product, account_connector=row.number)
        now = self._clock()
        look_at = now + LEFTOVERS_EVERY if now - row.changed_at < LATE else None
        self._ledger.store.apply(Change(replace(row, look_at=look_at)), row.version)
