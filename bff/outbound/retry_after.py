"""How long another program asks to be left alone: ``Retry-After`` (RFC 9110, section 10.2.3)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST: Final = 3600.0


def seconds(text: str, date: str = "") -> float | None:
    """The wait, at most ``LONGEST``; None where ``text`` says nothing.

    A moment is by the other program's clock. So is the ``Date`` of the same answer, ``date``; ours may be
    hours away from both.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST)
    moment = _moment(text)
    if moment is None:
        return None
    now = _moment(date) or datetime.now(UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST)


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
