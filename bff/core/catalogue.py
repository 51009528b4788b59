"""The partner service's connector catalogue, remembered: what a connector is called, and its id there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bff.core.errors import PartnerProblem
from bff.core.model import OfferedConnector
from bff.core.ports import AccountRef, Connector, PartnerService

FRESH: Final = timedelta(minutes=5)


class Catalogue:
    """Looks connectors up by the product's reference. Failures are never remembered."""

    def __init__(self, partner: PartnerService, clock: Callable[[], datetime]) -> None:
        self._partner = partner
        self._clock = clock
        self._kept: dict[str, tuple[datetime, Connector]] = {}

    def find(self, account: AccountRef, offered: OfferedConnector) -> Connector:
        """The catalogue entry. Raises ``ConnectorUnavailable`` or ``PartnerUnavailable``."""
        now = self._clock()
        kept = self._kept.get(offered.reference)
        if kept and now - kept[0] < FRESH:
            return kept[1]
        found = self._partner.find_connector(account, offered.reference)
        self._kept[offered.reference] = (now, found)
        return found

    def described(
        self, account: AccountRef, offered: OfferedConnector
    ) -> tuple[OfferedConnector, Connector | None]:
        """The connector with a name to show, and its entry where the partner service has it and answers."""
        try:
            entry = self.find(account, offered)
        except PartnerProblem:
            return self.named(offered), None
        return self.named(offered), entry

    def named(self, offered: OfferedConnector) -> OfferedConnector:
        """The connector with a name to show: the product's, the catalogue's, or made from the key."""
        if offered.name:
            return offered
        kept = self._kept.get(offered.reference)
        made_up = offered.key.replace("-", " ").replace("_", " ").title()
        return replace(offered, name=kept[1].name if kept else made_up)
