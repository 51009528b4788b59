"""Carries over the lifetimes that a third party states only once, with the consent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, TypedDict

from bff.partner.providers.credentials import Credentials

ROUNDING: Final = timedelta(seconds=5)
"""By which an end that stands may seem to move, as it is stated in whole seconds from now."""


class GrantTimes(TypedDict):
    """Since when the refresh token is in use, and when it expires."""

    grant_obtained_at: datetime | None
    grant_ends_at: datetime | None


def access_token_end(stored: Credentials, new: Credentials) -> datetime | None:
    """When the access token of a refresh (``new``) expires. If nothing is stated, it lives as long as before.

    Many third parties state ``expires_in`` with the consent only.
    """
    return new.expires_at or _same_span(new.obtained_at, stored.obtained_at, stored.expires_at)


def grant_times(stored: Credentials, new: Credentials) -> GrantTimes:
    """The times of the refresh token that is in use after a refresh (``new``).

    If no end is stated, the same refresh token ends when it did before, and another one lives as long. An end
    that no refresh moves is that of the consent, which the first refresh token began.
    """
    began, ended = stored.grant_obtained_at or stored.obtained_at, stored.grant_ends_at
    if new.grant_ends_at is not None:
        is_moved = ended is None or new.grant_ends_at > ended + ROUNDING
        return {
            "grant_obtained_at": new.obtained_at if is_moved else began,
            "grant_ends_at": new.grant_ends_at,
        }
    if new.refresh_token in {None, stored.refresh_token}:
        return {"grant_obtained_at": began, "grant_ends_at": ended}
    ends = _same_span(new.obtained_at, began, ended)
    return {"grant_obtained_at": new.obtained_at, "grant_ends_at": ends}


def _same_span(
    start: datetime | None, old_start: datetime | None, old_end: datetime | None
) -> datetime | None:
    if start is None or old_start is None or old_end is None or old_end <= old_start:
        return None
    span: timedelta = old_end - old_start
    return start + span
