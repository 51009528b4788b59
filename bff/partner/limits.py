"""How often what may be asked: by API client, and by the browser's address before anybody is known."""

from __future__ import annotations

import logging
import time
from hashlib import sha256
from typing import Any, Final

from flask import request
from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from bff.partner.errors import ApiError, FlowError
from bff.serving.addresses import counted_address

PREFIX: Final = "embedded"
UNCOUNTED: Final = "The service cannot count calls at the moment. Try again in a few seconds."
log = logging.getLogger("hitchpost.embedded")


class Limits:
    """Counts calls in windows of a minute. Without its store nothing is minted or redeemed."""

    def __init__(self, storage: str, options: dict[str, Any]) -> None:
        """``storage`` is its URL for the ``limits`` library, ``options`` what it takes besides."""
        made = storage_from_string(storage, **{**options, "wrap_exceptions": True})
        assert isinstance(made, Storage)  # nosec B101  # for the type checker
        self._counting = FixedWindowRateLimiter(made)

    def api(self, scope: str, rate: int, who: str) -> None:
        """One more call of an API client. Raises ``ApiError``: 429, or 503 when it cannot be counted."""
        try:
            wait = self._hit(scope, rate, who)
        except StorageError as error:
            _tell(error)
            raise ApiError(503, UNCOUNTED, retry_after=5) from None
        if wait is not None:
            raise ApiError(429, f"At most {rate} of these calls a minute.", retry_after=wait)

    def page(self, scope: str, rate: int, *, needed: bool) -> None:
        """One more visit from this address. Raises ``FlowError``: 429, or 503 if ``needed`` and uncounted."""
        try:
            wait = self._hit(scope, rate, caller_address())
        except StorageError as error:
            _tell(error)
            if needed:
                raise FlowError(503, "failed", retry_after=5) from None
            return
        if wait is not None:
            raise FlowError(429, "too_many", retry_after=wait)

    def _hit(self, scope: str, rate: int, who: str) -> float | None:
        most, key = RateLimitItemPerMinute(rate), (PREFIX, scope, sha256(who.encode()).hexdigest())
        if self._counting.hit(most, *key):
            return None
        return max(1.0, self._counting.get_window_stats(most, *key).reset_time - time.time())


def caller_address() -> str:
    """The address of this request that counts."""
    return counted_address(request.remote_addr)


def _tell(error: StorageError) -> None:
    log.error("calls cannot be counted: %s", type(error.storage_error).__name__)
