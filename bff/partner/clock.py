"""The present, and how times are written in answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime


class _Clock:
    """The machine's own, until there is a database to follow."""

    read: Callable[[], datetime] = staticmethod(lambda: datetime.now(UTC))


def now() -> datetime:
    """The present, in UTC."""
    return _Clock.read()


def follow(clock: Callable[[], datetime]) -> None:
    """From now on the present is what ``clock`` says: one process serves one database."""
    _Clock.read = staticmethod(clock)


def dot_net(moment: datetime | None) -> str | None:
    """A time with seven fractional digits and ``Z``, as .NET writes it and Cyclr answers it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}0Z" if moment else None


def rfc_1123(moment: datetime) -> str:
    """A time such as ``Thu, 02 Mar 2023 03:03:24 GMT``, as the token endpoint answers it."""
    return format_datetime(moment, usegmt=True)
