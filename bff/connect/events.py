"""What happens to attempts, as log lines that an operator's tools can count and alert on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog

from bff.connect.attempt import Attempt
from bff.connect.ports import Events
from bff.identity.principal import AccountRef
from bff.serving import metrics
from bff.upstream.protocol import AccountConnector

log = structlog.get_logger("hitchpost")

ADVICE: Final = {
    "cannot complete": "the partner service does not promise to have sign-ins completed by the browser that"
    " launched them; for Cyclr set HITCHPOST_SAME_BROWSER=off, and read A38 in docs/security.md",
    "completed elsewhere": "a sign-in ended in another browser than the one that launched it, and was"
    " refused: its link was passed on, or the browser keeps no cookies",
}
"""What an operator should know beside the bare event."""


class AllOf:
    """Implements ``Events``: tells each of its subscribers."""

    def __init__(self, *subscribers: Events) -> None:
        self._subscribers = subscribers

    def tell(self, event: str, attempt: Attempt) -> None:
        """In their order."""
        for subscriber in self._subscribers:
            subscriber.tell(event, attempt)


class LoggedEvents:
    """Implements ``Events``."""

    def tell(self, event: str, attempt: Attempt) -> None:
        """One line with what is fit for a log: no token, no message, no name of a person."""
        if event == "settled":
            ending = attempt.error_code or attempt.status.value
            whose = attempt.product, attempt.connector.key
            metrics.settled(*whose, attempt.status.value, ending, attempt.delivery.value)
        advice = ADVICE.get(event)
        (log.warning if advice else log.info)(
            "attempt",
            what=event,
            attempt=attempt.id,
            support_code=attempt.support_code,
            product=attempt.product,
            connector=attempt.connector.key,
            status=attempt.status.value,
            error=attempt.error_code,
            checks=attempt.checks,
            **({"advice": advice} if advice else {}),
        )


def several_installs(account: AccountRef, installs: Sequence[AccountConnector]) -> None:
    """An account has a connector more than once: which one is signed in for is told."""
    log.warning(
        "several account connectors",
        account=account.id,
        connector=installs[0].connector_name,
        account_connector=installs[0].id,
        count=len(installs),
    )
