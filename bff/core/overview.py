"""What an account has connected."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bff.core.catalogue import Catalogue
from bff.core.errors import PartnerProblem
from bff.core.model import OfferedConnector
from bff.core.ports import AccountConnector, AccountRef, PartnerService

FRESH: Final = timedelta(seconds=10)
MOST_KEPT: Final = 1000


@dataclass(frozen=True)
class Connection:
    """One connector of an account, as the partner service has it."""

    id: int
    connector: OfferedConnector
    authenticated: bool
    external_account: str | None


class Overview:
    """Reads an account's connectors at the partner service, seldom enough to be kind to it."""

    def __init__(self, partner: PartnerService, catalogue: Catalogue, clock: Callable[[], datetime]) -> None:
        self._partner = partner
        self._catalogue = catalogue
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[datetime, list[AccountConnector]]] = {}

    def connections(self, account: AccountRef, offered: Iterable[OfferedConnector]) -> list[Connection]:
        """What is installed of ``offered``, asked now. Raises ``PartnerUnavailable``."""
        return self._match(account, self._partner.list_account_connectors(account), offered)

    def states(
        self, account: AccountRef, offered: Iterable[OfferedConnector]
    ) -> list[tuple[OfferedConnector, str]]:
        """Each connector with connected, disconnected or unknown; an outage makes it unknown."""
        offered = list(offered)
        try:
            matched = self._match(account, self._recent(account), offered)
        except PartnerProblem:
            return [(self._catalogue.named(connector), "unknown") for connector in offered]
        connected = {found.connector.key for found in matched if found.authenticated}
        return [
            (self._catalogue.named(connector), "connected" if connector.key in connected else "disconnected")
            for connector in offered
        ]

    def forget(self, account: AccountRef) -> None:
        """Ask anew next time: something has changed."""
        self._kept.pop((account.product, account.id), None)

    def _recent(self, account: AccountRef) -> list[AccountConnector]:
        now, key = self._clock(), (account.product, account.id)
        kept = self._kept.get(key)
        if kept and now - kept[0] < FRESH:
            return kept[1]
        installed = self._partner.list_account_connectors(account)
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[key] = (now, installed)
        return installed

    def _match(
        self, account: AccountRef, installed: list[AccountConnector], offered: Iterable[OfferedConnector]
    ) -> list[Connection]:
        found = []
        for connector in offered:
            named, entry = self._catalogue.described(account, connector)
            found += [
                Connection(item.id, named, item.authenticated, _external_account(item))
                for item in installed
                if entry is not None and item.connector_id == entry.id
            ]
        return found


def _external_account(item: AccountConnector) -> str | None:
    connected = (sign_in for sign_in in item.sign_ins or () if sign_in.result == "connected")
    latest = next(connected, None)
    return latest.external_account if latest else None
