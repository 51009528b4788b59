"""The partner service's connector catalogue, cached: the names of connectors, and their releases."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from bff.common.background import Submit
from bff.common.errors import ConnectorUnavailable, PartnerProblem
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef
from bff.upstream.protocol import Connector, ConnectorStore, KnownConnector, PartnerService
from bff.upstream.sign_in_forms import AuthKind

FRESH: Final = timedelta(minutes=5)
MISSING_FRESH: Final = timedelta(minutes=1)
"""How long a connector that does not exist is cached as missing."""
READ_AGAIN: Final = timedelta(seconds=5)
"""Time between two reads of an entry that other workers may have stored."""
LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
PATIENCE: Final = timedelta(seconds=4)
"""How long a page waits in all for the connectors that are not cached yet."""


class Catalogue:
    """Looks connectors up by the product's reference, in parallel, each once at a time.

    Entries are cached for all workers in ``store``. An outage is not cached: the entries before it are used.
    """

    def __init__(
        self,
        partner: PartnerService,
        clock: Callable[[], datetime],
        store: ConnectorStore,
        submit: Submit,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._patience = patience.total_seconds()
        self._partner = partner
        self._clock = clock
        self._store = store
        self._submit = submit
        self._lock = threading.RLock()
        self._kept: dict[str, KnownConnector] = {}
        self._pending: dict[str, Future[KnownConnector]] = {}
        self._read_at: dict[str, datetime] = {}

    def find(self, account: AccountRef, offered: OfferedConnector) -> Connector:
        """The connector, for a launch; during an outage the cached entry.

        Raises ``PartnerProblem``; ``AccountUnknown`` if the account has to be created first.
        """
        known = self._known([offered.reference]).get(offered.reference)
        if known is None or not self._is_fresh(known):
            try:
                known = self._ask(account, offered.reference)
            except PartnerProblem:
                if known is None or known.connector is None:
                    raise
        if known.connector is None:
            raise ConnectorUnavailable(f"the partner service has no connector {offered.reference!r}")
        return known.connector

    def look_up(
        self, account: AccountRef, offered: Iterable[OfferedConnector]
    ) -> Mapping[str, KnownConnector]:
        """The entries by reference, for a page: old entries are returned at once, and renewed later.

        Entries that are not cached yet are read; those that take longer than ``PATIENCE`` are missing here.
        """
        references = list(dict.fromkeys(one.reference for one in offered))
        known = self._known(references)
        begun = {
            reference: self._begin(account, reference)
            for reference in references
            if reference not in known or not self._is_fresh(known[reference])
        }
        new = {reference: pending for reference, pending in begun.items() if reference not in known}
        done, _ = wait(new.values(), self._patience)
        answered = {
            reference: pending.result()
            for reference, pending in new.items()
            if pending in done and pending.exception() is None
        }
        return known | answered

    def require_connectable(self, offered: OfferedConnector) -> None:
        """Raises ``ConnectorUnavailable`` for one that is known not to be connectable here. Makes no call."""
        known = self._known([offered.reference]).get(offered.reference)
        if known is None or not self._is_fresh(known):
            return
        if known.connector is None:
            raise ConnectorUnavailable(f"the partner service has no connector {offered.reference!r}")
        if known.connector.form.auth is AuthKind.UNSUPPORTED:
            raise ConnectorUnavailable(
                f"connector {offered.key!r} signs in by a way that has no form here; docs/providers.md says"
                " which have"
            )

    def ask_anew(self) -> None:
        """Make all entries old, for all workers: each is renewed at its next use."""
        self._store.doubt(self._clock() - FRESH)

    def named(self, offered: OfferedConnector) -> OfferedConnector:
        """The connector with a name to show: the product's, the catalogue's, or made from the key."""
        if offered.name:
            return offered
        known = self._known([offered.reference]).get(offered.reference)
        made_up = offered.key.replace("-", " ").replace("_", " ").title()
        return replace(offered, name=known.connector.name if known and known.connector else made_up)

    def _known(self, references: Sequence[str]) -> dict[str, KnownConnector]:
        """The cached entries: this worker's, or newer ones of another worker."""
        with self._lock:
            found = {key: self._kept[key] for key in references if key in self._kept}
        unsure = [key for key in references if key not in found or not self._is_fresh(found[key])]
        now = self._clock()
        unread = [key for key in unsure if now - self._read_at.get(key, LONG_AGO) >= READ_AGAIN]
        if unread:
            found |= self._store.get(unread)
            with self._lock:
                self._kept |= found
                self._read_at |= dict.fromkeys(unread, now)
        return found

    def _is_fresh(self, known: KnownConnector) -> bool:
        return self._clock() - known.at < (FRESH if known.connector else MISSING_FRESH)

    def _begin(self, account: AccountRef, reference: str) -> Future[KnownConnector]:
        with self._lock:
            under_way = self._pending.get(reference)
            if under_way is None:
                under_way = self._pending[reference] = self._submit(partial(self._ask, account, reference))
        under_way.add_done_callback(partial(self._end, reference))
        return under_way

    def _end(self, reference: str, pending: Future[KnownConnector]) -> None:
        with self._lock:
            if self._pending.get(reference) is pending:
                del self._pending[reference]

    def _ask(self, account: AccountRef, reference: str) -> KnownConnector:
        try:
            found: Connector | None = self._partner.find_connector(account, reference)
        except ConnectorUnavailable:
            found = None
        known = KnownConnector(found, self._clock())
        with self._lock:
            self._kept[reference] = known
        self._store.put(reference, known)
        return known
