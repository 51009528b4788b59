"""The running attempts of one account connector: to report a success, or to cancel them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from bff.connect.attempt import Attempt, Hint, Status
from bff.connect.polling import AttemptPoller
from bff.connect.ports import AttemptStore
from bff.connections.ledger import Ledger
from bff.identity.principal import AccountRef
from bff.upstream.protocol import AccountConnector


class RunningSignIns:
    """The running attempts of all products that share an account."""

    def __init__(
        self,
        ledger: Ledger,
        attempts: AttemptStore,
        poller: AttemptPoller,
        clock: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._attempts = attempts
        self._poller = poller
        self._clock = clock

    def of(self, account: AccountRef, account_connector_id: int) -> Iterator[Attempt]:
        """The running attempts of this account connector."""
        now = self._clock()
        for product in self._ledger.sharing(account.product):
            for each in self._ledger.store.running(product, account.id, now):
                attempt = self._attempts.get(each.attempt) if each.is_for(account_connector_id) else None
                if attempt is not None:
                    yield attempt

    def conclude(self, attempt: Attempt, seen: AccountConnector) -> None:
        """Settle an attempt whose end ``seen`` shows."""
        self._poller.conclude(attempt, seen, None)

    def cancel(
        self, account: AccountRef, account_connector_id: int, seen: AccountConnector | None = None
    ) -> None:
        """Cancel the running attempts of it, except those whose success ``seen`` shows."""
        for running in self.of(account, account_connector_id):
            attempt = self._poller.conclude(running, seen, Hint.CANCEL) if seen is not None else running
            self._poller.give_up(attempt, {"status": Status.CANCELLED, "error_code": "cancelled"})
