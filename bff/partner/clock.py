"""The current time, and the time formats of responses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime


class _Clock:
    """Holds the clock of the process: the system clock until ``follow`` replaces it."""

    read: Callable[[], datetime] = staticmethod(lambda: datetime.now(UTC))


def now() -> datetime:
    """The current time, in UTC."""
    return _Clock.read()


def follow(clock: Callable[[], datetime]) -> None:
    """Use ``clock``, the database's, as the time source of the process."""
    _Clock.read = staticmethod(clock)


def dot_net(moment: datetime | None) -> str | None:
    """Format a time as .NET and Cyclr do: ISO 8601 with seven fractional digits and ``Z``."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}0Z" if moment else None


def rfc_1123(moment: datetime) -> str:
    """Format a time as the token endpoint does: ``Thu, 02 Mar 2023 03:03:24 GMT``."""
    return format_datetime(moment, usegmt=True)
