"""Cursors of paged lists: an opaque text that holds the last item's time and id."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bff.common.errors import InvalidRequest
from bff.common.text import text_fault

LONGEST: Final = 300
LONGEST_ID: Final = 64


@dataclass(frozen=True)
class Cursor:
    """The last item of a page. The list is sorted by ``at`` and ``id``, newest first."""

    at: datetime
    id: str

    def text(self) -> str:
        """Encode as the ``next_cursor`` that a client sends back: JSON in base64url."""
        document = json.dumps([self.at.isoformat(), self.id])
        return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """Parse a cursor that a client sent back. Raises ``InvalidRequest`` if it is malformed."""
    cursor = _parse(text) if len(text) <= LONGEST and text.isascii() else None
    if cursor is None:
        raise InvalidRequest("cursor: write the next_cursor of an earlier answer, or leave it out")
    return cursor


def _parse(text: str) -> Cursor | None:
    try:
        at, item = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        parsed = datetime.fromisoformat(at)
        # A time without a zone is refused. Converting one near the year 1 or 9999 overflows.
        moment = parsed.astimezone(UTC) if parsed.tzinfo else None
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    valid = moment is not None and isinstance(item, str) and 0 < len(item) <= LONGEST_ID
    return Cursor(moment, item) if valid and moment and not text_fault(item) else None
