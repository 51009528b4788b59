"""Checks connections periodically, so that host's servers learn of a lost one without asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from bff.common.errors import HitchpostError, PartnerUnavailable, StorageUnavailable
from bff.connections import changes
from bff.connections.connection import EXISTING, Change, Running, Stored
from bff.connections.connector_keys import ConnectorKeys
from bff.connections.ledger import Ledger
from bff.identity.principal import AccountRef
from bff.serving.logs import about
from bff.upstream.protocol import AccountConnector, PartnerService, with_details

AT_ONCE: Final = 20
"""Accounts that one worker checks in a round: with three rounds a minute, one a second."""
LEASE: Final = timedelta(minutes=5)
"""Longer than a check takes. If a worker dies, another one checks the account after this time."""

OUTAGE: Final = 3
"""So many failed accounts in a row count as an outage, which ends the round."""
MOST_REMEMBERED: Final = 10_000

log = structlog.get_logger("hitchpost.housekeeping")


class Health:
    """Checks each account with a connection once in a while (``Ledger.every``).

    Any number of workers may run: one statement that moves the due time claims an account. An outage ends the
    round, and its accounts stay due. An account that fails alone (the partner service refuses it, or returns
    something invalid) does not: it is retried after its lease, then at the usual interval. Logged once.

    The first rounds make what was stored while checks were switched off due.

    ``pause_left`` returns the seconds left of the pause that the partner service asked for
    (``Retry-After``); 0 or less for none.
    """

    def __init__(
        self,
        ledger: Ledger,
        partner: PartnerService,
        clock: Callable[[], datetime],
        pause_left: Callable[[], float] = lambda: 0.0,
        keys: ConnectorKeys | None = None,
    ) -> None:
        self._keys = keys
        self._ledger = ledger
        self._partner = partner
        self._clock = clock
        self._pause_left = pause_left
        self._troubled: set[tuple[str, str]] = set()
        self._some_unscheduled = True

    def look(self, over: Callable[[], bool] = lambda: False) -> int:
        """Check one round of accounts; return how many. ``over`` returns True to stop."""
        if self._pause_left() > 0:
            return 0
        if self._some_unscheduled:
            self._some_unscheduled = self._ledger.schedule()
        store, looked, in_a_row = self._ledger.store, 0, 0
        unanswered: list[tuple[AccountRef, Exception]] = []
        for product, account_id in store.due(self._clock(), AT_ONCE):
            now, account = self._clock(), AccountRef(account_id, account_id, product)
            if over() or in_a_row >= OUTAGE:
                break
            if not store.claim(product, account_id, now, now + LEASE):
                continue
            problem = self._problem_of(account)
            if problem is None:
                looked, in_a_row = looked + 1, 0
            elif _is_its_own(problem):
                self._put_off(account, problem)
            else:
                unanswered.append((account, problem))
                in_a_row += 1
                if getattr(problem, "retry_after", None) is not None:
                    break
        self._judge(unanswered, outage=not looked)
        return looked

    def _judge(self, unanswered: list[tuple[AccountRef, Exception]], *, outage: bool) -> None:
        """If other accounts were answered in the same round, these have failed by themselves."""
        for account, problem in unanswered:
            if not outage:
                self._put_off(account, problem)
        if unanswered and outage:
            log.info("connections not looked at", count=len(unanswered), error=_code_of(unanswered[-1][1]))

    def _problem_of(self, account: AccountRef) -> Exception | None:
        """Why checking an account failed; None if it did not."""
        try:
            self._look_at(account)
        except Exception as problem:  # noqa: BLE001  # the other accounts are still checked
            return problem
        self._troubled.discard((account.product, account.id))
        return None

    def _put_off(self, account: AccountRef, problem: Exception) -> None:
        """Retry after the lease the first time, then at the usual interval. Log the first time only."""
        key = account.product, account.id
        if key in self._troubled:
            self._ledger.postpone(account)
            return
        if len(self._troubled) >= MOST_REMEMBERED:
            self._troubled.clear()
        self._troubled.add(key)
        fields = {"product": account.product, "account": account.id, "error": _code_of(problem)}
        log.warning("an account cannot be looked at", **fields, **about(problem))

    def _look_at(self, account: AccountRef) -> None:
        store = self._ledger.store
        known = store.of_account(account.product, account.id)
        running = store.running(account.product, account.id, self._clock())
        installed = {item.id: item for item in self._partner.list_account_connectors(account)}
        for account_connector_id, row in known.items():
            if row.state not in EXISTING and row.look_at is None:
                continue
            item = installed.get(account_connector_id)
            seen = (
                with_details(self._partner, account, item)
                if item
                else self._partner.get_account_connector(account, account_connector_id)
            )
            connector = self._keys.renamed(account, row, seen) if self._keys else None
            blank = self._ledger.blank(account, connector, account_connector_id) if connector else row
            if row.state in EXISTING:
                self._ledger.compare(row, blank, seen, running)
            else:
                self._look_at_ended(account, row, blank, seen, running)
        self._ledger.touched(account)

    def _look_at_ended(
        self,
        account: AccountRef,
        row: Stored,
        blank: Stored,
        seen: AccountConnector | None,
        running: list[Running],
    ) -> None:
        """End it again if a sign-in that was open at its end has connected it; store what else did."""
        if self._ledger.is_leftover(row, seen):
            self._partner.deauthenticate(account, row.account_connector_id)
            log.info(
                "connection ended again", product=row.product, account_connector=row.account_connector_id
            )
        elif changes.state_of(seen) in EXISTING:
            row = self._ledger.compare(row, blank, seen, running)
        if row.state not in EXISTING:
            looked = replace(row, seen_at=self._clock(), look_at=self._ledger.next_look(row))
            self._ledger.store.apply(Change(looked), row.version)


def _is_its_own(problem: Exception) -> bool:
    """Whether a problem concerns this account alone."""
    if isinstance(problem, PartnerUnavailable):
        return problem.refused
    return not isinstance(problem, StorageUnavailable)


def _code_of(problem: Exception) -> str:
    return problem.code if isinstance(problem, HitchpostError) else "internal_error"
