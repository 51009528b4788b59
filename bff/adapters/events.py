"""What happens to attempts, as log lines that an operator's tools can count and alert on."""

from __future__ import annotations

import structlog

from bff.core.model import Attempt

log = structlog.get_logger("hitchpost")


class LoggedEvents:
    """Implements ``Events``."""

    def tell(self, event: str, attempt: Attempt) -> None:
        """One line with what is fit for a log: no token, no message, no name of a person."""
        log.info(
            "attempt",
            what=event,
            attempt=attempt.id,
            support_code=attempt.support_code,
            product=attempt.product,
            connector=attempt.connector.key,
            status=attempt.status.value,
            error=attempt.error_code,
            checks=attempt.checks,
        )
