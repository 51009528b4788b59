"""What an account has connected, as a page and a host's server are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from bff.common.background import Aside
from bff.common.errors import PartnerProblem
from bff.connect.attempt import Attempt
from bff.connections.connection import STANDING, Running, State, Stored
from bff.connections.ledger import Ledger
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef
from bff.upstream.catalogue import Catalogue
from bff.upstream.protocol import AccountConnector, KnownConnector, PartnerService, plain_name, whole_of

FRESH: Final = timedelta(seconds=3)
"""For so long another worker may not have heard that a sign-in has ended."""
MOST_KEPT: Final = 1000
PATIENCE: Final = timedelta(seconds=4)
"""So long a page waits to hear what is connected."""


@dataclass(frozen=True)
class Connection:
    """One connector of an account. ``state`` is how it stands now; ``row`` is what is known of it.

    ``authenticated``: as the partner service has it. While that is away, the state is unknown and ``row`` is
    the last word.
    """

    row: Stored
    connector: OfferedConnector
    state: State
    authenticated: bool

    @property
    def id(self) -> int:
        """The account connector's id."""
        return self.row.number


@dataclass(frozen=True)
class ConnectorStanding:
    """A connector as it stands for an account, with all of its connections.

    ``last_state`` and ``last_seen_at`` are told where the state is unknown: what it was, and when that was.
    """

    connector: OfferedConnector
    state: State
    connections: tuple[Connection, ...]
    last_state: State | None = None
    last_seen_at: datetime | None = None

    @property
    def external_account(self) -> str | None:
        """The third-party account that is connected; None where nobody knows, or where there are several."""
        connected = [item.row.external_account for item in self.connections if item.state is State.CONNECTED]
        return connected[0] if len(connected) == 1 else None


@dataclass
class _Look:
    """One look at an account. What is known was read before the partner service was asked.

    ``installed``: None while the partner service is away. ``now``: it was asked for this very look.
    """

    account: AccountRef
    offered: list[OfferedConnector]
    known: dict[int, Stored]
    running: list[Running]
    told: Mapping[str, KnownConnector] = field(default_factory=dict)
    installed: list[AccountConnector] | None = None
    now: bool = True


class Overview:
    """Reads an account's connectors at the partner service, seldom enough to be kind to it."""

    def __init__(
        self,
        partner: PartnerService,
        catalogue: Catalogue,
        ledger: Ledger,
        clock: Callable[[], datetime],
        aside: Aside,
    ) -> None:
        self._partner = partner
        self._catalogue = catalogue
        self._ledger = ledger
        self._clock = clock
        self._aside = aside
        self._era = 0
        self._kept: dict[tuple[str, str], tuple[datetime, list[AccountConnector]]] = {}

    def connections(
        self, account: AccountRef, offered: Iterable[OfferedConnector], *, now: bool = True
    ) -> list[Connection]:
        """What is installed of ``offered``; in an outage what is known of it.

        ``now``: the partner service is asked for this very look, however many there are. Raises
        ``PartnerUnavailable`` in an outage where nothing is known: that is not the same as nothing.
        """
        look = self._begin(account, offered)
        asked, look.now = self._recent(account, now=now)
        look.told = self._catalogue.look_up(account, look.offered)
        try:
            look.installed = asked.result()
            return self._matched(look)
        except PartnerProblem:
            if not any(row.state in STANDING for row in look.known.values()):
                raise
            return self._unknown(look)

    def states(self, account: AccountRef, offered: Iterable[OfferedConnector]) -> list[ConnectorStanding]:
        """How each connector stands, with its connections; an outage makes it unknown.

        A page waits for this: what takes the partner service longer than ``PATIENCE`` is unknown, too.
        """
        look = self._begin(account, offered)
        asked, look.now = self._recent(account)
        look.told = self._catalogue.look_up(account, look.offered)
        try:
            look.installed = asked.result(PATIENCE.total_seconds())
            found = self._matched(look)
        except (PartnerProblem, TimeoutError):
            look.installed, found = None, self._unknown(look)
        return [self._standing(look, connector, found) for connector in look.offered]

    def tell(self, event: str, attempt: Attempt) -> None:
        """Implements ``Events``: when an attempt of an account has ended, ask anew next time."""
        if event in {"settled", "late success"}:
            self.forget(AccountRef(attempt.account.id, attempt.account.name, attempt.account.product))

    def forget(self, account: AccountRef) -> None:
        """Something has changed: ask anew next time."""
        self._era += 1
        self._kept.pop((account.product, account.id), None)

    def _recent(
        self, account: AccountRef, *, now: bool = False
    ) -> tuple[Future[list[AccountConnector]], bool]:
        kept = None if now else self._kept.get((account.product, account.id))
        if kept and self._clock() - kept[0] < FRESH:
            known: Future[list[AccountConnector]] = Future()
            known.set_result(kept[1])
            return known, False
        return self._aside(partial(self._ask, account, self._era)), True

    def _ask(self, account: AccountRef, era: int) -> list[AccountConnector]:
        now = self._clock()
        installed = self._partner.list_account_connectors(account)
        if era == self._era:  # Else something has changed since it was asked.
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[account.product, account.id] = (now, installed)
        return installed

    def _begin(self, account: AccountRef, offered: Iterable[OfferedConnector]) -> _Look:
        store = self._ledger.store
        known = store.of_account(account.product, account.id)
        return _Look(account, list(offered), known, store.running(account.product, account.id, self._clock()))

    def _matched(self, look: _Look) -> list[Connection]:
        installed = look.installed or []
        pairs = [
            (self._catalogue.named(connector), item)
            for connector in look.offered
            for item in installed
            if is_of(connector, look.told.get(connector.reference), item)
        ]
        found = [self._one(look, connector, item) for connector, item in pairs]
        if look.now:
            self._look_for_lost(look, {item.id for item in installed})
            self._ledger.touch(look.account, look.known)
        return found

    def _one(self, look: _Look, connector: OfferedConnector, item: AccountConnector) -> Connection:
        row, blank = look.known.get(item.id), self._ledger.blank(look.account, connector, item.id)
        authenticated = item.authenticated
        if look.now:
            whole = whole_of(self._partner, look.account, item)
            row = look.known[item.id] = self._ledger.compare(row, blank, whole, look.running)
            authenticated = whole.authenticated
        elif row is not None:
            # What is known may be newer than what was heard some seconds ago.
            authenticated = row.state is State.CONNECTED
        elif authenticated:
            row = replace(blank, state=State.CONNECTED)
        row = replace(row or blank, connector_key=connector.key, connector_name=connector.name)
        pending = row.state is State.DISCONNECTED and any(each.is_for(item.id) for each in look.running)
        return Connection(row, connector, State.PENDING if pending else row.state, authenticated)

    def _look_for_lost(self, look: _Look, there: set[int]) -> None:
        """Of what stood and is not in the list it is asked again: a list is read page by page."""
        for number, row in look.known.items():
            if number not in there and row.state in STANDING:
                seen = self._partner.get_account_connector(look.account, number)
                look.known[number] = self._ledger.compare(row, row, seen)

    def _unknown(self, look: _Look) -> list[Connection]:
        """What is known of what stood, while nobody can say whether it does."""
        named = {connector.key: self._catalogue.named(connector) for connector in look.offered}
        rows = [row for row in look.known.values() if row.state in STANDING and row.connector_key in named]
        return [
            Connection(row, named[row.connector_key], State.UNKNOWN, row.state is State.CONNECTED)
            for row in rows
        ]

    def _standing(
        self, look: _Look, connector: OfferedConnector, found: list[Connection]
    ) -> ConnectorStanding:
        named = self._catalogue.named(connector)
        ours = tuple(each for each in found if each.connector.key == connector.key)
        if look.installed is None:
            return _away(look, named, ours)
        states = {each.state for each in ours}
        if any(each.connector_key == connector.key for each in look.running):
            states.add(State.PENDING)
        state = next((state for state in PRECEDENCE if state in states), None)
        # Something may be installed of a connector whose name and releases nobody could tell yet.
        if state is None and look.installed and connector.reference not in look.told:
            return _away(look, named, ours)
        return ConnectorStanding(named, state or State.DISCONNECTED, ours)


PRECEDENCE: Final = (State.CONNECTED, State.NEEDS_RECONNECT, State.PENDING)
"""Of a connector with several connections the first of these is told."""


def _away(look: _Look, connector: OfferedConnector, ours: tuple[Connection, ...]) -> ConnectorStanding:
    rows = [row for row in look.known.values() if row.connector_key == connector.key]
    states = {row.state for row in rows}
    last = next((state for state in (*PRECEDENCE, State.DISCONNECTED) if state in states), None)
    seen_at = max((row.seen_at for row in rows), default=None)
    return ConnectorStanding(connector, State.UNKNOWN, ours, last, seen_at)


def is_of(offered: OfferedConnector, known: KnownConnector | None, item: AccountConnector) -> bool:
    """Whether an account connector is an install of an offered connector; ``known``: the catalogue's word."""
    if known and known.connector:
        return known.connector.is_in(item)
    # Without the catalogue's word what is installed speaks for itself: it has its release and its name.
    by_name = plain_name(offered.reference) == plain_name(item.connector_name)
    return by_name or offered.reference == str(item.connector_id)
