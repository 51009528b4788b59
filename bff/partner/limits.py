"""Rate limits: by API client for API calls, and by client address for browser pages."""

from __future__ import annotations

import logging
from typing import Any, Final

from flask import request
from limits.errors import StorageError

from bff.partner.errors import ApiError, FlowError
from bff.serving.addresses import counted_address
from bff.serving.rate_limits import Counts

PREFIX: Final = "embedded"
UNCOUNTED: Final = "The service cannot count calls at the moment. Try again in a few seconds."
log = logging.getLogger("hitchpost.embedded")


class Limits:
    """Counts calls in fixed windows of one minute. Fails closed for minting and redeeming tokens."""

    def __init__(self, storage: str, options: dict[str, Any]) -> None:
        """``storage``: a storage URL of the ``limits`` library. ``options``: its keyword arguments."""
        self._counts = Counts(PREFIX, storage, options)

    def api(self, scope: str, rate: int, who: str) -> None:
        """Count a call of an API client. ``rate``: calls a minute.

        Raises ``ApiError``: 429, or 503 if the call cannot be counted.
        """
        try:
            wait = self._counts.hit(rate, scope, who)
        except StorageError as error:
            _log_failure(error)
            raise ApiError(503, UNCOUNTED, retry_after=5) from None
        if wait is not None:
            raise ApiError(429, f"At most {rate} of these calls a minute.", retry_after=wait)

    def page(self, scope: str, rate: int, *, needed: bool) -> None:
        """Count a visit from the client's address. ``rate``: visits a minute.

        Raises ``FlowError``: 429, or 503 if the visit cannot be counted and counting is ``needed``.
        """
        try:
            wait = self._counts.hit(rate, scope, caller_address())
        except StorageError as error:
            _log_failure(error)
            if needed:
                raise FlowError(503, "failed", retry_after=5) from None
            return
        if wait is not None:
            raise FlowError(429, "too_many", retry_after=wait)


def caller_address() -> str:
    """The client address under which this request is counted."""
    return counted_address(request.remote_addr)


def _log_failure(error: StorageError) -> None:
    log.error("calls cannot be counted: %s", type(error.storage_error).__name__)
