"""Parses ``Retry-After`` (RFC 9110, section 10.2.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST: Final = 3600.0
"""Seconds. A longer wait is cut to this."""
_SECONDS: Final = re.compile(r"[0-9]+(\.[0-9]*)?")


def seconds(text: str, date: str = "") -> float | None:
    """The seconds to wait, at most ``LONGEST``; None if ``text`` is neither a number nor a date.

    Shopify sends ``2.0``. A date is compared with ``date``, the ``Date`` of the same response, since both are
    of the other program's clock. Without it, it is compared with this machine's.
    """
    text = text.strip()
    if _SECONDS.fullmatch(text):
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
