"""Rate limits: by address before authentication, by user and account after it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import structlog
from flask import Flask, request
from limits.errors import StorageError

from bff.common.errors import LimitsUnavailable, RateLimited
from bff.openapi.operation import View, marked
from bff.serving.addresses import counted_address
from bff.serving.rate_limits import Counts
from bff.web.kit.day_limits import ByDay

PREFIX: Final = "hitchpost"
_DECLARED: Final = "hitchpost_limit"

log = structlog.get_logger("hitchpost.limits")


class Purpose(StrEnum):
    """Limited operations of a user, or of a host's server for one connection."""

    ATTEMPT = "attempts"
    REPEAT = "repeats"
    PRESS = "presses"
    LAUNCH = "launches"
    DISCONNECT = "disconnects"
    TOKEN = "tokens"  # noqa: S105  # no secret


@dataclass(frozen=True)
class Limit:
    """How the calls of a route are counted, as the route declares.

    ``by_address``: counted by client address, before authentication. ``needed``: refuse calls while they
    cannot be counted. ``purposes`` and ``by_day`` are counted by the route's function after authentication.
    """

    purposes: tuple[Purpose, ...] = ()
    by_address: bool = False
    by_day: bool = False
    needed: bool = False

    def refusals(self) -> tuple[str, ...]:
        """The error codes that a route with this limit may return."""
        if self.purposes or self.by_day or self.needed:
            return (RateLimited.code, LimitsUnavailable.code)
        return (RateLimited.code,) if self.by_address else ()


UNCOUNTED: Final = Limit()
BY_ADDRESS: Final = Limit(by_address=True)


def limited(limit: Limit) -> Callable[[View], View]:
    """Decorate a route's function with its limit."""
    return marked(_DECLARED, limit)


@dataclass(frozen=True)
class Rates:
    """Maximum calls a minute, by purpose for a user and an account.

    ``address``: calls of one address to each unauthenticated route. ``failures``: wrong credentials from one
    address. ``product``: rows that one product creates, a day.
    """

    address: int
    failures: int
    user: dict[Purpose, int]
    account: dict[Purpose, int]
    product: int


class Limits:
    """Counts calls in windows of a minute. Accepted calls get no rate limit headers.

    ``storage`` is a storage URL of the ``limits`` library, ``options`` the storage's options.
    """

    def __init__(self, rates: Rates, storage: str, options: dict[str, Any]) -> None:
        self._rates = rates
        self._counts = Counts(PREFIX, storage, options)
        self._days = ByDay(self._counts.limiter, rates.product)
        self.declared: dict[str, Limit] = {}
        """By endpoint."""

    def learn(self, app: Flask) -> None:
        """Read the limits that the routes of ``app`` declare."""
        # Read once at the start, as a host's app may wrap the functions later.
        views = app.view_functions.items()
        self.declared = {endpoint: getattr(view, _DECLARED, UNCOUNTED) for endpoint, view in views}

    def spend(self, purpose: Purpose, product: str, account: str, user: str) -> None:
        """Count a call of an authenticated user. Raises ``RateLimited`` or ``LimitsUnavailable``.

        The user is counted first, so that a call above the user's limit does not use up the account's.
        """
        self._require(purpose in self._limit().purposes, purpose)
        try:
            self._hit(self._rates.user[purpose], purpose, product, account, user)
            self._hit(self._rates.account[purpose], purpose, product, account)
            if purpose is Purpose.ATTEMPT:
                self._days.spend(purpose, product, account)
        except StorageError as error:
            _log_failure(error)
            raise _unavailable() from None

    def spend_of_day(self, what: str, product: str) -> None:
        """Count a row that a product's host stores. Raises ``RateLimited`` or ``LimitsUnavailable``."""
        self._require(self._limit().by_day, what)
        try:
            self._days.spend(what, product)
        except StorageError as error:
            _log_failure(error)
            raise _unavailable() from None

    def note_failure(self) -> None:
        """Count wrong credentials from this address. Raises ``RateLimited`` above the limit.

        Valid credentials are not checked against it, so that users who share an address are not locked out.
        """
        try:
            self._hit(self._rates.failures, "failures", caller_address())
        except StorageError as error:
            _log_failure(error)

    def count(self) -> None:
        """Count a call by address if its route says so. Raises ``RateLimited`` or ``LimitsUnavailable``."""
        limit = self._limit()
        if not limit.by_address or request.method == "OPTIONS":
            return
        try:
            self._hit(self._rates.address, "address", str(request.endpoint), caller_address())
        except StorageError as error:
            _log_failure(error)
            if limit.needed:
                raise _unavailable() from None

    def _limit(self) -> Limit:
        return self.declared.get(request.endpoint or "", UNCOUNTED)

    def _require(self, declared: bool, what: str) -> None:
        if not declared:
            raise RuntimeError(f"{request.endpoint} counts {what}: its route has to declare it as its limit")

    def _hit(self, rate: int, scope: str, *who: str) -> None:
        if (wait := self._counts.hit(rate, scope, json.dumps(who))) is not None:
            detail = f"at most {rate} of these calls a minute; wait, then go on"
            raise RateLimited(detail, retry_after=wait)


def caller_address() -> str:
    """The client address to limit by."""
    return counted_address(request.remote_addr)


def _unavailable() -> LimitsUnavailable:
    return LimitsUnavailable("calls cannot be counted at the moment, so none is taken")


def _log_failure(error: StorageError) -> None:
    # Only the class: the message of a database or Redis error may contain its address.
    log.error("calls cannot be counted", error=type(error.storage_error).__name__)
