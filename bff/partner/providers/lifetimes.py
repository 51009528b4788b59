"""Reads when a token expires, in the forms in which third parties state it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from flask import json

from bff.partner import clock
from bff.partner.providers.entries import LONGEST_LIFE
from bff.serving import base64url

_SECONDS: Final = re.compile(r"(\d{1,400}(?:\.\d*)?)\s*(?:s|secs?|seconds?)?", re.IGNORECASE)
_HIGHEST_SECONDS: Final = 1e11
_FIRST_TIME: Final = 1e9
"""A lifetime of at least as many seconds, more than 31 years, may be a time since the Unix epoch."""
_OFFSET: Final = re.compile(r"\s+(?:UTC|GMT|(?=[+-]\d))", re.IGNORECASE)


def end_of(read: Callable[[str], Any], lifetimes: Iterable[str], times: Iterable[str]) -> datetime | None:
    """The first valid one of the fields that state an end as a lifetime or as a time, at most a year ahead.

    ``read``: returns the value of a field by its name.
    """
    ends = (_from_lifetime(read(name)) for name in lifetimes)
    ends_at = (_from_time(read(name)) for name in times)
    return next(filter(None, (*ends, *ends_at)), None)


def end_of_jwt(token: str) -> datetime | None:
    """When an access token that is a JWT expires (RFC 9068, section 2.2); None for any other token.

    The signature is not verified: a wrong time only moves the next refresh.
    """
    return _from_time(jwt_claims(token).get("exp"))


def jwt_claims(token: object) -> dict[str, Any]:
    """The claims of a signed JWT (RFC 7519), unverified. Empty if the token is anything else."""
    parts = token.split(".") if isinstance(token, str) else []
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64url.decode(parts[1]))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _from_lifetime(value: Any) -> datetime | None:
    """Parse a lifetime in seconds, a number or a text. None for 0: some third parties mean never.

    TikTok Shop and Deliverect send a time since the Unix epoch in its place.
    """
    seconds = _positive_number(value)
    if seconds and seconds >= _FIRST_TIME:
        seconds = max(0.0, (_epoch_of_number(value) or 0.0) - clock.now().timestamp()) or LONGEST_LIFE
    return _in(seconds)


def _from_time(value: Any) -> datetime | None:
    """Parse a time: ISO 8601, an HTTP date, or a number since the Unix epoch. None if it is over."""
    seconds = _epoch_of_text(value) or _epoch_of_number(value)
    return _in(seconds - clock.now().timestamp()) if seconds else None


def _in(seconds: float | None) -> datetime | None:
    return clock.now() + timedelta(seconds=min(seconds, LONGEST_LIFE)) if seconds and seconds > 0 else None


def _epoch_of_number(value: Any) -> float | None:
    seconds = _positive_number(value)
    # A number of seconds as high as this would be a time thousands of years ahead: it has smaller units.
    while seconds and seconds > _HIGHEST_SECONDS:
        seconds /= 1000
    return seconds


def _epoch_of_text(value: Any) -> float | None:
    """The time of an ISO 8601 text or an HTTP date, in seconds. Without an offset it is UTC."""
    if not isinstance(value, str) or _SECONDS.fullmatch(value.strip()):
        return None
    for parse in (lambda text: datetime.fromisoformat(_OFFSET.sub("", text)), parsedate_to_datetime):
        try:
            moment = parse(value.strip())
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, OverflowError):
            continue
    return None


def _positive_number(value: Any) -> float | None:
    if isinstance(value, str) and (found := _SECONDS.fullmatch(value.strip())):
        value = float(found[1][:20])
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return None
    return float(min(value, 10**20))
