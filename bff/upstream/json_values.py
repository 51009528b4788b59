"""Values of the partner service's JSON, as they can be kept."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from bff.common.errors import PartnerUnavailable

_UNKEPT: Final = re.compile("[\x00\ud800-\udfff]")
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?")


def read_moment(text: str) -> datetime:
    """A time with any number of fractional digits (.NET writes seven). Raises ``PartnerUnavailable``."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise PartnerUnavailable("the partner service answered a time that is none")
    try:
        moment = datetime.fromisoformat(f"{match[1]}.{(match[2] or '0')[:6]:0<6}{match[3] or '+00:00'}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise PartnerUnavailable("the partner service answered a time that is none") from None


def as_kept(value: Any) -> str | None:
    """The text, if it is one that can be stored."""
    # JSON may hold what no table does: NUL, and halves of surrogate pairs.
    return value if isinstance(value, str) and _UNKEPT.search(value) is None else None
