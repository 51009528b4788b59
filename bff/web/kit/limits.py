"""Rate limits: by address before authentication, by user and account after it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

import structlog
from flask import Flask, request
from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from bff.common.errors import LimitsUnavailable, RateLimited
from bff.openapi.operation import View, marked
from bff.serving.addresses import counted_address
from bff.web.kit.day_limits import ByDay

PREFIX: Final = "hitchpost"
_DECLARED: Final = "hitchpost_limit"

log = structlog.get_logger("hitchpost.limits")


class Purpose(StrEnum):
    """Limited operations of a user, or of a host's server for one connection."""

    ATTEMPT = "attempts"
    PRESS = "presses"
    LAUNCH = "launches"
    DISCONNECT = "disconnects"
    TOKEN = "tokens"  # noqa: S105  # nosec B105  # no secret


@dataclass(frozen=True)
class Limit:
    """How the calls of a route are counted, as the route declares.

    ``by_address``: of its own, before anything looks at them; and if ``needed``, none is taken while they
    cannot be counted. The others are spent by the route's function, once it knows for whom.
    """

    purposes: tuple[Purpose, ...] = ()
    by_address: bool = False
    by_day: bool = False
    needed: bool = False

    def refusals(self) -> tuple[str, ...]:
        """The codes of what is refused for it."""
        if self.purposes or self.by_day or self.needed:
            return (RateLimited.code, LimitsUnavailable.code)
        return (RateLimited.code,) if self.by_address else ()


UNCOUNTED: Final = Limit()
BY_ADDRESS: Final = Limit(by_address=True)


def limited(limit: Limit) -> Callable[[View], View]:
    """Decorate a route's function with how its calls are counted."""
    return marked(_DECLARED, limit)


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
        self.declared: dict[str, Limit] = {}
        """By endpoint."""

    def learn(self, app: Flask) -> None:
        """Read the limits that the routes of ``app`` declare."""
        # Once: a host's app may wrap the functions later.
        views = app.view_functions.items()
        self.declared = {endpoint: getattr(view, _DECLARED, UNCOUNTED) for endpoint, view in views}

    def spend(self, purpose: Purpose, product: str, account: str, user: str) -> None:
        """Count one more by this user, who is known by now. Raises ``RateLimited`` or ``LimitsUnavailable``.

        The user comes first: whoever is over their own limit uses up nothing of their account's.
        """
        self._require(purpose in self._limit().purposes, purpose)
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
        self._require(self._limit().by_day, what)
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

    def count(self) -> None:
        """Count this call where its route says so. Raises ``RateLimited`` or ``LimitsUnavailable``."""
        limit = self._limit()
        if not limit.by_address or request.method == "OPTIONS":
            return
        try:
            self._hit(self._rates.address, "address", str(request.endpoint), caller_address())
        except StorageError as error:
            _tell(error)
            if limit.needed:
                raise _unavailable() from None

    def _limit(self) -> Limit:
        return self.declared.get(request.endpoint or "", UNCOUNTED)

    def _require(self, declared: bool, what: str) -> None:
        if not declared:
            raise RuntimeError(f"{request.endpoint} counts {what}: its route has to declare it as its limit")

    def _hit(self, rate: int, scope: str, *who: str) -> None:
        most = RateLimitItemPerMinute(rate)
        # Ids are any text: a digest keeps them apart, short, and out of the store.
        key = PREFIX, scope, sha256(json.dumps(who).encode()).hexdigest()
        if not self._counting.hit(most, *key):
            ends_at = self._counting.get_window_stats(most, *key).reset_time
            detail = f"at most {rate} of these calls a minute; wait, then go on"
            raise RateLimited(detail, retry_after=ends_at - time.time())


def caller_address() -> str:
    """The client address to limit by."""
    return counted_address(request.remote_addr)


def _unavailable() -> LimitsUnavailable:
    return LimitsUnavailable("calls cannot be counted at the moment, so none is taken")


def _tell(error: StorageError) -> None:
    # Its class alone: the text of a database's or Redis' error may hold its address.
    log.error("calls cannot be counted", error=type(error.storage_error).__name__)
