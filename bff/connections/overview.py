"""Lists what an account has connected, for its page and for the host's server."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from bff.common.background import Submit
from bff.common.errors import PartnerProblem
from bff.connect.attempt import Attempt
from bff.connections.connection import EXISTING, Running, State, Stored
from bff.connections.connector_keys import ConnectorIndex, ConnectorKeys
from bff.connections.ledger import Ledger
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef
from bff.upstream.catalogue import Catalogue
from bff.upstream.protocol import AccountConnector, KnownConnector, PartnerService, with_details

Item = TypeVar("Item")

FRESH: Final = timedelta(seconds=3)
"""How long a list is cached: another worker may learn of a change this much later."""
MOST_KEPT: Final = 1000
PATIENCE: Final = timedelta(seconds=4)
"""How long a page waits for the partner service."""


@dataclass(frozen=True)
class Connection:
    """One connection. ``state``: its state now. ``row``: what is stored of it.

    ``authenticated``: the partner service's flag. While that is unavailable, the state is ``unknown`` and
    ``row`` has the last known one.
    """

    row: Stored
    connector: OfferedConnector
    state: State
    authenticated: bool

    @property
    def id(self) -> int:
        """The account connector's id."""
        return self.row.account_connector_id


@dataclass(frozen=True)
class ConnectorState:
    """The state of a connector for an account, with all of its connections.

    ``last_state`` and ``last_seen_at``: the last known state and when it was seen, while it is ``unknown``.
    """

    connector: OfferedConnector
    state: State
    connections: tuple[Connection, ...]
    last_state: State | None = None
    last_seen_at: datetime | None = None

    @property
    def external_account(self) -> str | None:
        """The connected third-party account; None if it is unknown, or if there are several."""
        connected = [item.row.external_account for item in self.connections if item.state is State.CONNECTED]
        return connected[0] if len(connected) == 1 else None


@dataclass
class _Look:
    """One look at an account. ``known`` was read before ``installed``.

    ``everything``: ``offered``, and the product's other connectors.
    ``installed``: None while the partner service is unavailable. ``fresh``: False if it comes from the cache.
    ``rows``: ``known`` by connector's key, after the look. ``pending``: the connectors of ``running``.
    """

    account: AccountRef
    offered: list[OfferedConnector]
    everything: list[OfferedConnector]
    known: dict[int, Stored]
    running: list[Running]
    catalogue: Mapping[str, KnownConnector] = field(default_factory=dict)
    installed: list[AccountConnector] | None = None
    fresh: bool = True
    rows: Mapping[str, list[Stored]] = field(default_factory=dict)
    pending: Collection[str] = ()


class Overview:
    """Reads an account's connectors from the partner service, with a short cache."""

    def __init__(
        self,
        partner: PartnerService,
        catalogue: Catalogue,
        ledger: Ledger,
        clock: Callable[[], datetime],
        submit: Submit,
        keys: ConnectorKeys | None = None,
    ) -> None:
        self._keys = keys or ConnectorKeys(catalogue)
        self._partner = partner
        self._catalogue = catalogue
        self._ledger = ledger
        self._clock = clock
        self._submit = submit
        self._era = 0
        self._kept: dict[tuple[str, str], tuple[datetime, list[AccountConnector]]] = {}

    def connections(
        self, account: AccountRef, offered: Iterable[OfferedConnector], *, fresh: bool = True
    ) -> list[Connection]:
        """The connections of ``offered``; in an outage the stored ones, as ``unknown``.

        ``fresh``: ask the partner service, not the cache. Raises ``PartnerUnavailable`` in an outage if none
        is stored.
        """
        look = self._begin(account, offered)
        listing, look.fresh = self._recent(account, fresh=fresh)
        look.catalogue = self._catalogue.look_up(account, look.everything)
        try:
            look.installed = listing.result()
            return self._matched(look)
        except PartnerProblem:
            if not any(row.state in EXISTING for row in look.known.values()):
                raise
            return self._unknown(look)

    def states(self, account: AccountRef, offered: Iterable[OfferedConnector]) -> list[ConnectorState]:
        """The state of each connector, with its connections; ``unknown`` in an outage.

        A page waits for this, so an answer that takes longer than ``PATIENCE`` counts as an outage.
        """
        look = self._begin(account, offered)
        listing, look.fresh = self._recent(account)
        look.catalogue = self._catalogue.look_up(account, look.everything)
        try:
            look.installed = listing.result(PATIENCE.total_seconds())
            found = self._matched(look)
        except (PartnerProblem, TimeoutError):
            look.installed, found = None, self._unknown(look)
        own = _grouped(found, lambda each: each.connector.key)
        look.rows = _grouped(look.known.values(), lambda row: row.connector_key)
        look.pending = {each.connector_key for each in look.running}
        return [self._state_of(look, each, tuple(own.get(each.key, ()))) for each in look.offered]

    def emit(self, event: str, attempt: Attempt) -> None:
        """Implements ``Events``: drops an account from the cache when one of its attempts has ended."""
        if event in {"settled", "late success"}:
            self.forget(AccountRef(attempt.account.id, attempt.account.name, attempt.account.product))

    def forget(self, account: AccountRef) -> None:
        """Drop an account from the cache."""
        self._era += 1
        self._kept.pop((account.product, account.id), None)

    def _recent(
        self, account: AccountRef, *, fresh: bool = False
    ) -> tuple[Future[list[AccountConnector]], bool]:
        kept = None if fresh else self._kept.get((account.product, account.id))
        if kept and self._clock() - kept[0] < FRESH:
            known: Future[list[AccountConnector]] = Future()
            known.set_result(kept[1])
            return known, False
        return self._submit(partial(self._ask, account, self._era)), True

    def _ask(self, account: AccountRef, era: int) -> list[AccountConnector]:
        now = self._clock()
        installed = self._partner.list_account_connectors(account)
        if era == self._era:  # Nothing has changed since the call began.
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[account.product, account.id] = (now, installed)
        return installed

    def _begin(self, account: AccountRef, offered: Iterable[OfferedConnector]) -> _Look:
        store = self._ledger.store
        known = store.of_account(account.product, account.id)
        running = store.running(account.product, account.id, self._clock())
        offered = list(offered)
        return _Look(account, offered, self._keys.everything(account.product, offered), known, running)

    def _matched(self, look: _Look) -> list[Connection]:
        installed = look.installed or []
        index = ConnectorIndex(look.everything, look.catalogue)
        installs: dict[str, list[AccountConnector]] = {connector.key: [] for connector in look.offered}
        for item in installed:
            connector = index.of(look.known.get(item.id), item)
            if connector is not None and connector.key in installs:
                installs[connector.key].append(item)
        found = [
            self._one(look, named, item)
            for named in map(self._catalogue.named, look.offered)
            for item in installs[named.key]
        ]
        if look.fresh:
            self._look_for_lost(look, {item.id for item in installed})
            # Those of connectors that this caller may not see were not compared: the account still has to be.
            compared = {each.id for each in found}
            if compared >= {item.id for item in installed if item.id in look.known}:
                self._ledger.touch(look.account, look.known)
        return found

    def _one(self, look: _Look, connector: OfferedConnector, item: AccountConnector) -> Connection:
        row, blank = look.known.get(item.id), self._ledger.blank(look.account, connector, item.id)
        authenticated = item.authenticated
        if look.fresh:
            detailed = with_details(self._partner, look.account, item)
            row = look.known[item.id] = self._ledger.compare(row, blank, detailed, look.running)
            authenticated = detailed.authenticated
        elif row is not None:
            # The stored state may be newer than the cached list.
            authenticated = row.state is State.CONNECTED
        elif authenticated:
            row = replace(blank, state=State.CONNECTED)
        row = replace(row or blank, connector_key=connector.key, connector_name=connector.name)
        pending = row.state is State.DISCONNECTED and any(each.is_for(item.id) for each in look.running)
        return Connection(row, connector, State.PENDING if pending else row.state, authenticated)

    def _look_for_lost(self, look: _Look, listed_ids: set[int]) -> None:
        """Ask for each stored connection that is not in the list: it may have changed while that was read."""
        for account_connector_id, row in look.known.items():
            if account_connector_id not in listed_ids and row.state in EXISTING:
                seen = self._partner.get_account_connector(look.account, account_connector_id)
                look.known[account_connector_id] = self._ledger.compare(row, row, seen)

    def _unknown(self, look: _Look) -> list[Connection]:
        """The stored connections, as ``unknown``."""
        named = {connector.key: self._catalogue.named(connector) for connector in look.offered}
        rows = [row for row in look.known.values() if row.state in EXISTING and row.connector_key in named]
        return [
            Connection(row, named[row.connector_key], State.UNKNOWN, row.state is State.CONNECTED)
            for row in rows
        ]

    def _state_of(
        self, look: _Look, connector: OfferedConnector, own_connections: tuple[Connection, ...]
    ) -> ConnectorState:
        named = self._catalogue.named(connector)
        if look.installed is None:
            return _unknown_state(look, named, own_connections)
        states = {each.state for each in own_connections}
        if connector.key in look.pending:
            states.add(State.PENDING)
        state = next((state for state in PRECEDENCE if state in states), None)
        # The catalogue could not be read, so something installed may belong to this connector.
        if state is None and look.installed and connector.reference not in look.catalogue:
            return _unknown_state(look, named, own_connections)
        return ConnectorState(named, state or State.DISCONNECTED, own_connections)


PRECEDENCE: Final = (State.CONNECTED, State.NEEDS_RECONNECT, State.PENDING)
"""The state of a connector with several connections: the first of these that one of them has."""


def _unknown_state(
    look: _Look, connector: OfferedConnector, own_connections: tuple[Connection, ...]
) -> ConnectorState:
    rows = look.rows.get(connector.key, ())
    states = {row.state for row in rows}
    last = next((state for state in (*PRECEDENCE, State.DISCONNECTED) if state in states), None)
    seen_at = max((row.seen_at for row in rows), default=None)
    return ConnectorState(connector, State.UNKNOWN, own_connections, last, seen_at)


def _grouped(items: Iterable[Item], key_of: Callable[[Item], str]) -> dict[str, list[Item]]:
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(key_of(item), []).append(item)
    return groups
