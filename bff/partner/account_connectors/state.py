"""How a grant stands, when it is looked at next, and how the API tells it."""

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

Reason = Literal["revoked", "expired", "refused", "expires_soon"]
"""Why a user has to sign in again: the third party ended the grant; its time is over; the third party goes on
refusing it for a reason of its own; or it will end soon, and nothing but a sign-in renews it."""
State = Literal["connected", "needs_reconnect", "none"]

MARGIN: Final = timedelta(seconds=60)
"""An access token that ends sooner is refreshed when it is asked for; at most half of its own life."""
AHEAD: Final = timedelta(minutes=5)
"""So long before its end a token is refreshed although nobody asks; at most half of its life."""
LEAST: Final = timedelta(minutes=10)
"""However short the lives of a third party's tokens are, it is not asked more often than this unasked."""
DAILY: Final = timedelta(days=1)
"""So often a grant without an end is looked at, where there is a way to."""
SPREAD: Final = 0.1
SOON: Final = timedelta(days=3)
PART: Final = 0.1
"""A grant that nothing can renew is about to end in the last tenth of its life, at most three days."""


@dataclass(frozen=True)
class Health:
    """How a grant stands."""

    state: State
    reason: str | None
    expires_at: datetime | None
    scopes: list[str] | None
    wanted: list[str]
    extra: Mapping[str, str]

    def told(self) -> dict[str, Any]:
        """As the API tells it."""
        return {
            "State": self.state,
            "Reason": self.reason,
            "ExpiresAtUtc": clock.dot_net(self.expires_at),
            "Scopes": self.scopes,
            "WantedScopes": self.wanted,
            "Extra": dict(self.extra),
        }


def health_of(
    row: Row[Any], item: CatalogueConnector | None, found: Credentials | None, scopes: list[str] | None
) -> Health:
    """How the grant of an account connector stands; ``found`` are its credentials, where they open."""
    wanted = list(item.scopes) if item else []
    ends = grant_end(item, found) if found else None
    state: State = "needs_reconnect" if row.grant_reason else "none"
    reason = row.grant_reason
    if row.authenticated:
        state, reason = ("connected", None)
        if found is not None and ends is not None and is_ending(found, ends):
            state, reason = "needs_reconnect", "expired" if ends <= clock.now() else "expires_soon"
    return Health(state, reason, ends, scopes, wanted, found.extra if found else {})


def is_renewable(item: CatalogueConnector | None, found: Credentials) -> bool:
    """Whether new access tokens can be had without the user."""
    return bool(found.refresh_token) or (item is not None and item.needs_no_user)


def grant_end(item: CatalogueConnector | None, found: Credentials) -> datetime | None:
    """When the user has to sign in again at the latest, as far as that is known."""
    return found.grant_ends_at if is_renewable(item, found) else found.expires_at


def is_ending(found: Credentials, ends: datetime) -> bool:
    """Whether a grant is in the last part of its life."""
    life = ends - found.obtained_at if found.obtained_at else timedelta(0)
    return ends - clock.now() < min(SOON, life * PART)


def is_due(item: CatalogueConnector | None, found: Credentials, now: datetime) -> bool:
    """Whether an access token is too near its end to be given away."""
    if found.expires_at is None:
        return False
    # One that cannot be renewed is used to its very end.
    margin = _at_most_half(found, MARGIN) if is_renewable(item, found) else timedelta(0)
    return found.expires_at < now + margin


def next_look(item: CatalogueConnector | None, found: Credentials) -> datetime | None:
    """When the grant is looked at although nobody asks: refreshed, tried, or found to have ended."""
    now, ends = clock.now(), found.expires_at
    if is_renewable(item, found):
        if ends is None:
            return now + _spread(DAILY)
        return max(ends - _at_most_half(found, AHEAD) * random.uniform(1.0, 1.5), now + LEAST)  # noqa: S311  # nosec B311  # spreads load
    looks = [now + _spread(DAILY)] if item is not None and item.userinfo_url else []
    return min([*looks, *([ends] if ends else [])], default=None)


def tomorrow() -> datetime:
    """A day from now, not at the same moment for all."""
    return later(DAILY)


def later(span: timedelta) -> datetime:
    """About so long from now: spread, so that a third party is not asked about all of them at once."""
    return clock.now() + _spread(span)


def _at_most_half(found: Credentials, margin: timedelta) -> timedelta:
    if found.obtained_at is None or found.expires_at is None:
        return margin
    return max(timedelta(0), min(margin, (found.expires_at - found.obtained_at) / 2))


def _spread(span: timedelta) -> timedelta:
    return span * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311  # nosec B311  # spreads load
