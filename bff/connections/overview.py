"""What an account has connected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from bff.common.background import Aside
from bff.common.errors import PartnerProblem
from bff.connect.attempt import Attempt
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef
from bff.upstream.catalogue import Catalogue
from bff.upstream.protocol import AccountConnector, KnownConnector, PartnerService, whole_of

FRESH: Final = timedelta(seconds=3)
"""For so long another worker may not have heard that a sign-in has ended."""
MOST_KEPT: Final = 1000
PATIENCE: Final = timedelta(seconds=4)
"""So long a page waits to hear what is connected."""


@dataclass(frozen=True)
class Connection:
    """One connector of an account, as the partner service has it."""

    id: int
    connector: OfferedConnector
    authenticated: bool
    external_account: str | None


class Overview:
    """Reads an account's connectors at the partner service, seldom enough to be kind to it."""

    def __init__(
        self, partner: PartnerService, catalogue: Catalogue, clock: Callable[[], datetime], aside: Aside
    ) -> None:
        self._partner = partner
        self._catalogue = catalogue
        self._clock = clock
        self._aside = aside
        self._era = 0
        self._kept: dict[tuple[str, str], tuple[datetime, list[AccountConnector]]] = {}

    def connections(self, account: AccountRef, offered: Iterable[OfferedConnector]) -> list[Connection]:
        """What is installed of ``offered``, asked now. Raises ``PartnerUnavailable``."""
        offered = list(offered)
        asked = self._aside(partial(self._partner.list_account_connectors, account))
        told = self._catalogue.look_up(account, offered)
        return self._match(account, asked.result(), offered, told)

    def states(
        self, account: AccountRef, offered: Iterable[OfferedConnector]
    ) -> list[tuple[OfferedConnector, str]]:
        """Each connector with connected, disconnected or unknown; an outage makes it unknown.

        A page waits for this: what takes the partner service longer than ``PATIENCE`` is unknown, too.
        """
        offered = list(offered)
        asked = self._recent(account)
        told = self._catalogue.look_up(account, offered)
        try:
            installed = asked.result(PATIENCE.total_seconds())
            matched = self._match(account, installed, offered, told)
        except (PartnerProblem, TimeoutError):
            return [(self._catalogue.named(connector), "unknown") for connector in offered]
        connected = {found.connector.key for found in matched if found.authenticated}

        def state(connector: OfferedConnector) -> str:
            if connector.key in connected:
                return "connected"
            # Something may be installed of a connector whose name and releases nobody could tell yet.
            return "disconnected" if not installed or connector.reference in told else "unknown"

        return [(self._catalogue.named(connector), state(connector)) for connector in offered]

    def external_accounts(self, account: AccountRef, offered: Iterable[OfferedConnector]) -> dict[str, str]:
        """Which third-party account each connector is connected with, by key, as ``states`` saw it last.

        The partner service is not asked anew: what is not known now is left out.
        """
        offered = list(offered)
        kept = self._kept.get((account.product, account.id))
        told = [item for item in kept[1] if item.sign_ins and item.authenticated] if kept else []
        matched = (
            self._match(account, told, offered, self._catalogue.look_up(account, offered)) if told else []
        )
        return {found.connector.key: found.external_account for found in matched if found.external_account}

    def tell(self, event: str, attempt: Attempt) -> None:
        """Implements ``Events``: when an attempt of an account has ended, ask anew next time."""
        if event in {"settled", "late success"}:
            self._era += 1
            self._kept.pop((attempt.account.product, attempt.account.id), None)

    def _recent(self, account: AccountRef) -> Future[list[AccountConnector]]:
        kept = self._kept.get((account.product, account.id))
        if kept and self._clock() - kept[0] < FRESH:
            known: Future[list[AccountConnector]] = Future()
            known.set_result(kept[1])
            return known
        return self._aside(partial(self._ask, account, self._era))

    def _ask(self, account: AccountRef, era: int) -> list[AccountConnector]:
        now = self._clock()
        installed = self._partner.list_account_connectors(account)
        if era == self._era:  # Else something has changed since it was asked.
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[account.product, account.id] = (now, installed)
        return installed

    def _match(
        self,
        account: AccountRef,
        installed: list[AccountConnector],
        offered: Iterable[OfferedConnector],
        told: Mapping[str, KnownConnector],
    ) -> list[Connection]:
        found = []
        for connector in offered:
            known, named = told.get(connector.reference), self._catalogue.named(connector)
            for item in installed:
                if _is_of(connector, known, item):
                    whole = whole_of(self._partner, account, item)
                    found.append(Connection(item.id, named, whole.authenticated, _external_account(whole)))
        return found


def _is_of(offered: OfferedConnector, known: KnownConnector | None, item: AccountConnector) -> bool:
    if known and known.connector:
        return known.connector.is_in(item)
    # Without the catalogue's word what is installed speaks for itself: it has its release and its name.
    return offered.reference in {str(item.connector_id), item.connector_name}


def _external_account(item: AccountConnector) -> str | None:
    connected = (sign_in for sign_in in item.sign_ins or () if sign_in.result == "connected")
    latest = next(connected, None)
    return latest.external_account if latest else None
