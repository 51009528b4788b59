"""Logs and counts the events of attempts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import structlog

from bff.connect.attempt import Attempt
from bff.connect.ports import AttemptEvent, Events
from bff.identity.principal import AccountRef
from bff.serving import metrics
from bff.serving.periodic_thread import safely
from bff.upstream.protocol import AccountConnector

log = structlog.get_logger("hitchpost")

ADVICE: Final = {
    AttemptEvent.CANNOT_COMPLETE: "the partner service cannot require that the browser that launched a"
    " sign-in completes it; for Cyclr set HITCHPOST_SAME_BROWSER=off, and read A38 in docs/security.md",
    AttemptEvent.COMPLETED_ELSEWHERE: "a sign-in ended in another browser than the one that launched it, and"
    " was refused: its link was passed on, or the browser keeps no cookies",
}
"""Log field ``advice`` of events that an operator should act on."""


class EventFanOut:
    """Implements ``Events``: passes each event to several subscribers."""

    def __init__(self, *subscribers: Events) -> None:
        self._subscribers = subscribers

    def emit(self, event: AttemptEvent, attempt: Attempt) -> None:
        """Call the subscribers in order. One that fails is logged: the change itself is stored already."""
        for subscriber in self._subscribers:
            safely(log, "a subscriber", partial(subscriber.emit, event, attempt), None)


class EventLogger:
    """Implements ``Events``: writes a log line for each event, and counts settled attempts as metrics."""

    def emit(self, event: AttemptEvent, attempt: Attempt) -> None:
        """Log without secrets and personal data: no token, no message, no person's name."""
        if event is AttemptEvent.SETTLED:
            ending = attempt.error_code or attempt.status.value
            labels = attempt.product, attempt.connector.key
            metrics.settled(*labels, attempt.status.value, ending, attempt.delivery.value)
        advice = ADVICE.get(event)
        (log.warning if advice else log.info)(
            "attempt",
            what=event.value,
            attempt=attempt.id,
            support_code=attempt.support_code,
            product=attempt.product,
            connector=attempt.connector.key,
            status=attempt.status.value,
            error=attempt.error_code,
            # The log's word for polls, which operators know.
            checks=attempt.polls,
            **({"advice": advice} if advice else {}),
        )


def warn_of_several(account: AccountRef, found: Sequence[AccountConnector]) -> None:
    """Warn that an account has several account connectors of one connector. The log line names the first."""
    log.warning(
        "several account connectors",
        account=account.id,
        connector=found[0].connector_name,
        account_connector=found[0].id,
        count=len(found),
    )
