"""Looks at connections although nobody asks, seldom and in a bounded way, so that servers hear of an end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from bff.common.errors import HitchpostError, PartnerUnavailable, StorageUnavailable
from bff.connect.outcome import LATE
from bff.connections.connection import STANDING, Change, Stored
from bff.connections.ledger import LEFTOVERS_EVERY, Ledger
from bff.identity.principal import AccountRef
from bff.serving.logs import about
from bff.upstream.protocol import AccountConnector, PartnerService, whole_of

AT_ONCE: Final = 20
"""Accounts that one round of one worker looks at: with three rounds a minute, one a second."""
LEASE: Final = timedelta(minutes=5)
"""Longer than a look may take: the next worker tries then, should this one have died."""

OUTAGE: Final = 3
"""So many accounts in a row that get no sensible answer are an outage: the round ends."""
MOST_REMEMBERED: Final = 10_000

log = structlog.get_logger("hitchpost.housekeeping")


class Health:
    """One look at each account that has something connected, every so often (``Ledger.every``).

    Any number of workers may do it at once: an account is claimed by the one statement that moves its due
    time. An outage ends the round, and what was due stays so. An account that alone cannot be looked at (the
    partner service refuses it, or has odd things of it) ends nothing: it is tried once more when its lease
    has ended, and from then on as seldom as any other. That is told once.
    """

    def __init__(self, ledger: Ledger, partner: PartnerService, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._partner = partner
        self._clock = clock
        self._troubled: set[tuple[str, str]] = set()

    def look(self, over: Callable[[], bool] = lambda: False) -> int:
        """One round; how many accounts were looked at. ``over`` says whether to stop."""
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
        """Where others were answered in the same round, it is these accounts that cannot be looked at."""
        for account, problem in unanswered:
            if not outage:
                self._put_off(account, problem)
        if unanswered and outage:
            log.info("connections not looked at", count=len(unanswered), error=_code_of(unanswered[-1][1]))

    def _problem_of(self, account: AccountRef) -> Exception | None:
        """Why an account could not be looked at; None where it was."""
        try:
            self._look_at(account)
        except Exception as problem:  # noqa: BLE001  # one account that cannot be looked at keeps no other waiting
            return problem
        self._troubled.discard((account.product, account.id))
        return None

    def _put_off(self, account: AccountRef, problem: Exception) -> None:
        """It is tried once more when its lease has ended; then as seldom as any other. It is told once."""
        key = account.product, account.id
        if key in self._troubled:
            self._ledger.postpone(account)
            return
        if len(self._troubled) >= MOST_REMEMBERED:
            self._troubled.clear()
        self._troubled.add(key)
        told = {"product": account.product, "account": account.id, "error": _code_of(problem)}
        log.warning("an account cannot be looked at", **told, **about(problem))

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


def _is_its_own(problem: Exception) -> bool:
    """Whether a problem is of this account alone: another one may well be looked at."""
    if isinstance(problem, PartnerUnavailable):
        return problem.refused
    return not isinstance(problem, StorageUnavailable)


def _code_of(problem: Exception) -> str:
    return problem.code if isinstance(problem, HitchpostError) else "internal_error"
