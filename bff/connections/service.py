"""Finds one connection, or gets an access token of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from bff.common.errors import ConnectionNotFound, NeedsReconnect, PartnerProblem
from bff.connections import changes
from bff.connections.connection import EXISTING, Stored
from bff.connections.connector_keys import ConnectorKeys
from bff.connections.ledger import Ledger
from bff.connections.running_sign_ins import RunningSignIns
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef
from bff.upstream.protocol import LAST_ID, AccessToken, AccountConnector, PartnerService


@dataclass(frozen=True)
class Found:
    """A connection of an account, as it is stored and as the partner service returned it just now.

    ``row``: the stored connection after this look. ``known_before``: the one before it. ``seen``: the account
    connector, None where there is none.
    """

    account: AccountRef
    offered: OfferedConnector
    row: Stored
    seen: AccountConnector | None
    known_before: Stored | None

    @property
    def exists(self) -> bool:
        """Whether there is something to end."""
        return self.row.state in EXISTING or changes.state_of(self.seen) in EXISTING


class Connections:
    """Operations on one connection, which is identified by its account connector's id."""

    def __init__(
        self,
        ledger: Ledger,
        partner: PartnerService,
        keys: ConnectorKeys,
        sign_ins: RunningSignIns,
        clock: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._partner = partner
        self._keys = keys
        self._sign_ins = sign_ins
        self._clock = clock

    def find(self, account: AccountRef, offered: Iterable[OfferedConnector], name: str) -> Found:
        """The connection of this id, up to date. Raises ``ConnectionNotFound``, ``PartnerUnavailable``."""
        account_connector_id = account_connector_id_of(name)
        row = self._ledger.store.get(account.product, account.id, account_connector_id)
        running = self._ledger.store.running(account.product, account.id, self._clock())
        seen = self._partner.get_account_connector(account, account_connector_id)
        connector = self._keys.of(account, row, seen, offered)
        if connector is None:
            raise no_such_connection(account_connector_id)
        blank = self._ledger.blank(account, connector, account_connector_id)
        return Found(account, connector, self._ledger.compare(row, blank, seen, running), seen, row)

    def stored(self, account: AccountRef, account_connector_id: int) -> Stored | None:
        """The stored connection, without a look at the partner service."""
        return self._ledger.store.get(account.product, account.id, account_connector_id)

    def known(self, account: AccountRef, offered: OfferedConnector, name: str) -> int:
        """The account connector id of a connection that can be reconnected. Raises ``ConnectionNotFound``.

        Asks the partner service only if the connection is not stored.
        """
        account_connector_id = account_connector_id_of(name)
        row = self._ledger.store.get(account.product, account.id, account_connector_id)
        if row is not None and row.removed_at is None and row.connector_key == offered.key:
            return account_connector_id
        found = self.find(account, [offered], name)
        if found.seen is None:
            raise no_such_connection(account_connector_id)
        return account_connector_id

    def access_token(self, found: Found, *, force: bool = False) -> AccessToken:
        """An access token of the connection. ``force``: another one than the third party refuses.

        Raises ``NeedsReconnect``, ``NotSupportedByPartner``.
        """
        if found.row.state not in EXISTING:
            raise no_such_connection(found.row.account_connector_id)
        try:
            return self._partner.access_token(found.account, found.row.account_connector_id, force=force)
        except NeedsReconnect:
            with contextlib.suppress(PartnerProblem):
                self._note_loss(found)
            raise

    def _note_loss(self, found: Found) -> None:
        """Report to the host that the partner service found the grant lost. Raises ``PartnerProblem``.

        A sign-in that has succeeded is reported first. Else the next sign-in would hide both.
        """
        account, account_connector_id = found.account, found.row.account_connector_id
        running = list(self._sign_ins.of(account, account_connector_id))
        seen = self._partner.get_account_connector(account, account_connector_id) if running else None
        if seen is not None:
            for attempt in running:
                self._sign_ins.conclude(attempt, seen)
        # Reads it once more: what is stored has to be read before that, and an attempt may have changed it.
        self.find(account, [found.offered], str(account_connector_id))


def account_connector_id_of(name: str) -> int:
    """The account connector's id in a connection's id. Raises ``ConnectionNotFound``."""
    # One way to write it: each spelling would be counted by itself where calls are limited.
    plain = name.isascii() and name.isdecimal() and len(name) <= 10 and name[0] != "0"
    if not plain or int(name) > LAST_ID:
        raise ConnectionNotFound(f"there is no connection {name[:60]!r}")
    return int(name)


def no_such_connection(account_connector_id: int) -> ConnectionNotFound:
    """The error for a connection that does not exist (any more)."""
    return ConnectionNotFound(f"there is no connection {account_connector_id}")
