"""Where a list goes on: an opaque text that holds the last item's time and id."""

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
    """After this item, in the order of ``at`` and ``id``, newest first."""

    at: datetime
    id: str

    def text(self) -> str:
        """As a client sends it back."""
        inside = json.dumps([self.at.isoformat(), self.id])
        return base64.urlsafe_b64encode(inside.encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """The cursor that a client sent back. Raises ``InvalidRequest`` for anything else."""
    found = _inside(text) if len(text) <= LONGEST and text.isascii() else None
    if found is None:
        raise InvalidRequest("cursor: write the next_cursor of an earlier answer, or leave it out")
    return found


def _inside(text: str) -> Cursor | None:
    try:
        at, item = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        written = datetime.fromisoformat(at)
        # One without a zone is nobody's moment, and a year may be too far away for another zone.
        moment = written.astimezone(UTC) if written.tzinfo else None
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    sound = moment is not None and isinstance(item, str) and 0 < len(item) <= LONGEST_ID
    return Cursor(moment, item) if sound and moment and not text_fault(item) else None
