"""The state of a grant, and the time of its next background check."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Row

from bff.partner import clock
from bff.partner.providers.credentials import Credentials
from bff.partner.providers.entries import CatalogueConnector

Reason = Literal["revoked", "expired", "refused", "expires_soon", "unauthenticated"]
"""Why a user has to sign in again. ``revoked``: the third party ended the grant. ``expired``: it has expired.
``refused``: the third party keeps rejecting it. ``expires_soon``: it expires and cannot be renewed.
``unauthenticated``: what is stored cannot be decrypted."""
State = Literal["connected", "needs_reconnect", "none"]

MARGIN: Final = timedelta(seconds=60)
"""A requested access token is refreshed if it expires within this time, at most half of its lifetime."""
AHEAD: Final = timedelta(minutes=5)
"""The background refresh happens this long before expiry, at most half of the lifetime."""
LEAST: Final = timedelta(minutes=10)
"""Minimum interval between background refreshes, however short the lifetime of the tokens is."""
SHORTEST: Final = timedelta(minutes=1)
"""Minimum interval between background refreshes that keep a refresh token from expiring."""
DAILY: Final = timedelta(days=1)
"""Interval of the checks of a grant without an expiry."""
SPREAD: Final = 0.1
"""Relative random deviation of an interval."""
SOON: Final = timedelta(days=3)
PART: Final = 0.1
"""A grant that cannot be renewed expires soon in the last tenth of its lifetime, at most three days."""


@dataclass(frozen=True)
class Health:
    """The state of a grant."""

    state: State
    reason: str | None
    expires_at: datetime | None
    scopes: list[str] | None
    wanted: list[str]
    extra: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """The state in the form of the API."""
        return {
            "State": self.state,
            "Reason": self.reason,
            "ExpiresAtUtc": clock.dot_net(self.expires_at),
            "Scopes": self.scopes,
            "WantedScopes": self.wanted,
            "Extra": dict(self.extra),
        }


def health_of(
    row: Row[Any],
    item: CatalogueConnector | None,
    credentials: Credentials | None,
    scopes: list[str] | None,
    *,
    opens: bool = True,
) -> Health:
    """The state of a grant. ``credentials``: its credentials, or None if they cannot be decrypted.

    ``opens``: whether all that is stored of the account connector can be decrypted.
    """
    wanted = list(item.scopes) if item else []
    ends = grant_end(item, credentials) if credentials else None
    state: State = "needs_reconnect" if row.grant_reason else "none"
    reason = row.grant_reason
    if row.authenticated and not opens:
        state, reason = "needs_reconnect", "unauthenticated"
    elif row.authenticated:
        state, reason = ("connected", None)
        if credentials is not None and ends is not None and is_ending(credentials, ends):
            state, reason = "needs_reconnect", "expired" if ends <= clock.now() else "expires_soon"
    return Health(state, reason, ends, scopes, wanted, credentials.extra if credentials else {})


def is_renewable(item: CatalogueConnector | None, credentials: Credentials) -> bool:
    """Whether new access tokens can be obtained without the user."""
    return bool(credentials.refresh_token) or (item is not None and item.needs_no_user)


def grant_end(item: CatalogueConnector | None, credentials: Credentials) -> datetime | None:
    """The latest time at which the user has to sign in again; None if it is not known."""
    if item is not None and item.needs_no_user:
        return None
    return credentials.grant_ends_at if is_renewable(item, credentials) else credentials.expires_at


def is_ending(credentials: Credentials, ends: datetime) -> bool:
    """Whether a grant that ends at ``ends`` expires soon (see ``SOON`` and ``PART``)."""
    return ends - clock.now() < _warning(credentials, ends)


def is_due(item: CatalogueConnector | None, credentials: Credentials, now: datetime) -> bool:
    """Whether an access token expires too soon to be returned to a caller."""
    if credentials.expires_at is None:
        return False
    # A token that cannot be renewed is used until it expires.
    margin = _at_most_half(credentials, MARGIN) if is_renewable(item, credentials) else timedelta(0)
    return credentials.expires_at < now + margin


def next_look(item: CatalogueConnector | None, credentials: Credentials) -> datetime | None:
    """The time of the next background check; None if the grant needs none."""
    now, expires_at = clock.now(), credentials.expires_at
    if is_renewable(item, credentials):
        look = now + _randomize(DAILY)
        if expires_at is not None:
            look = max(expires_at - _at_most_half(credentials, AHEAD) * random.uniform(1.0, 1.5), now + LEAST)  # noqa: S311  # spreads load
        return min(look, _look_before_end(item, credentials, now) or look)
    checks = [now + _randomize(DAILY)] if item is not None and item.userinfo_url else []
    return min([*checks, *([expires_at] if expires_at else [])], default=None)


def is_due_ahead(item: CatalogueConnector | None, credentials: Credentials) -> bool:
    """Whether a background check refreshes: before the access token or the refresh token expires.

    A token without an expiry is refreshed once a day.
    """
    now, ends = clock.now(), grant_end(item, credentials)
    if ends is not None and now < ends <= now + 2 * _warning(credentials, ends):
        return True
    if credentials.expires_at is None:
        return credentials.obtained_at is None or credentials.obtained_at < now - DAILY * (1 - 2 * SPREAD)
    return credentials.expires_at < now + 2 * AHEAD


def tomorrow() -> datetime:
    """About one day from now, at a random time."""
    return later(DAILY)


def later(span: timedelta) -> datetime:
    """The time ``span`` from now, randomly spread so that requests to a third party do not coincide."""
    return clock.now() + _randomize(span)


def _look_before_end(
    item: CatalogueConnector | None, credentials: Credentials, now: datetime
) -> datetime | None:
    """When to refresh so that the refresh token does not expire unused; None if its end is unknown or over.

    It is before the time from which the grant expires soon. If a refresh does not move the end, the next one
    follows after half of what is left.
    """
    ends = grant_end(item, credentials)
    if ends is None or ends <= now:
        return None
    return max(ends - 2 * _warning(credentials, ends), now + max((ends - now) / 2, SHORTEST))


def _warning(credentials: Credentials, ends: datetime) -> timedelta:
    """How long before its end (``ends``) a grant expires soon."""
    began = credentials.obtained_at
    if ends == credentials.grant_ends_at and credentials.grant_obtained_at is not None:
        began = credentials.grant_obtained_at
    return min(SOON, max(timedelta(0), ends - began) * PART) if began else timedelta(0)


def _at_most_half(credentials: Credentials, margin: timedelta) -> timedelta:
    if credentials.obtained_at is None or credentials.expires_at is None:
        return margin
    return max(timedelta(0), min(margin, (credentials.expires_at - credentials.obtained_at) / 2))


def _randomize(span: timedelta) -> timedelta:
    return span * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311  # spreads load
