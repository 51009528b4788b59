"""How often what may be asked: by address before anybody is known, afterwards by user and by account."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

import structlog
from flask import Blueprint, request
from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from bff.common.errors import LimitsUnavailable, RateLimited
from bff.serving.addresses import counted_address
from bff.web.kit.day_limits import ByDay

PREFIX: Final = "hitchpost"
OPEN: Final = frozenset(
    {
        "hitchpost.hitchpost_advice.advice",
        "hitchpost.hitchpost_exchange.exchange",
        "hitchpost.hitchpost_press.press",
        "hitchpost.hitchpost_completion.complete",
        "hitchpost.hitchpost_forms.show",
        "hitchpost.hitchpost_forms.send",
        "hitchpost.hitchpost_pages.opening",
        "hitchpost.hitchpost_pages.launch",
        "hitchpost.hitchpost_pages.come_back",
        "hitchpost.hitchpost_pages.report_return",
        "hitchpost.studio.doors.door",
        "hitchpost.studio.doors.enter",
    }
)
"""What anybody may call: each is counted by address, apart from the others."""
COSTLY: Final = frozenset(
    {
        "hitchpost.hitchpost_pages.launch",
        "hitchpost.hitchpost_forms.send",
        "hitchpost.studio.doors.enter",
    }
)
"""Of these none is taken while calls cannot be counted."""

log = structlog.get_logger("hitchpost.limits")


class Purpose(StrEnum):
    """What a signed-in user, or a host's server for one connection, may do only so often."""

    ATTEMPT = "attempts"
    PRESS = "presses"
    LAUNCH = "launches"
    DISCONNECT = "disconnects"
    TOKEN = "tokens"  # noqa: S105  # nosec B105  # no secret


@dataclass(frozen=True)
class Rates:
    """Calls a minute: of an address to each open route; wrong credentials of one; of a user, an account.

    ``product`` is for a day: of what a product's rows are made by.
    """

    address: int
    failures: int
    user: dict[Purpose, int]
    account: dict[Purpose, int]
    product: int


class Limits:
    """Counts calls in windows of a minute. Only refusals tell of it: nothing is added to other answers.

    ``storage`` is its URL for the ``limits`` library, ``options`` what it takes besides.
    """

    def __init__(self, rates: Rates, storage: str, options: dict[str, Any]) -> None:
        self._rates = rates
        made = storage_from_string(storage, **{**options, "wrap_exceptions": True})
        assert isinstance(made, Storage)  # nosec B101  # for the type checker
        self._counting = FixedWindowRateLimiter(made)
        self._days = ByDay(self._counting, rates.product)

    def guard(self, blueprint: Blueprint) -> None:
        """Count the calls to what is open below ``blueprint``, before anything else looks at them."""
        blueprint.before_request(self._count)

    def spend(self, purpose: Purpose, product: str, account: str, user: str) -> None:
        """Count one more by this user, who is known by now. Raises ``RateLimited`` or ``LimitsUnavailable``.

        The user comes first: whoever is over their own limit uses up nothing of their account's.
        """
        try:
            self._hit(self._rates.user[purpose], purpose, product, account, user)
            self._hit(self._rates.account[purpose], purpose, product, account)
            if purpose is Purpose.ATTEMPT:
                self._days.spend(purpose, product, account)
        except StorageError as error:
            _tell(error)
            raise _unavailable() from None

    def spend_of_day(self, what: str, product: str) -> None:
        """Count a row that a product's host stores. Raises ``RateLimited`` or ``LimitsUnavailable``."""
        try:
            self._days.spend(what, product)
        except StorageError as error:
            _tell(error)
            raise _unavailable() from None

    def note_failure(self) -> None:
        """Wrong credentials came from this address. Raises ``RateLimited`` when they have become too many.

        Right ones are never asked about: whoever shares an address with a guesser is not locked out.
        """
        try:
            self._hit(self._rates.failures, "failures", caller_address())
        except StorageError as error:
            _tell(error)

    def _count(self) -> None:
        """Without a store, what costs something is refused, and the rest goes on."""
        endpoint = request.endpoint
        if endpoint not in OPEN or request.method == "OPTIONS":
            return
        try:
            self._hit(self._rates.address, "address", endpoint, caller_address())
        except StorageError as error:
            _tell(error)
            if endpoint in COSTLY and request.method == "POST":
                raise _unavailable() from None

    def _hit(self, rate: int, scope: str, *who: str) -> None:
        most = RateLimitItemPerMinute(rate)
        # Ids are any text: a digest keeps them apart, short, and out of the store.
        key = PREFIX, scope, sha256(json.dumps(who).encode()).hexdigest()
        if not self._counting.hit(most, *key):
            ends_at = self._counting.get_window_stats(most, *key).reset_time
            detail = f"at most {rate} of these calls a minute; wait, then go on"
            raise RateLimited(detail, retry_after=ends_at - time.time())


def caller_address() -> str:
    """The address of this request that counts."""
    return counted_address(request.remote_addr)


def _unavailable() -> LimitsUnavailable:
    return LimitsUnavailable("calls cannot be counted at the moment, so none is taken")


def _tell(error: StorageError) -> None:
    # Its class alone: the text of a database's or Redis' error may hold its address.
    log.error("calls cannot be counted", error=type(error.storage_error).__name__)
