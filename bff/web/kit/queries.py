"""Reads and validates the query parameters of lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from flask import request

from bff.common.cursor import Cursor, read_cursor
from bff.common.errors import InvalidRequest
from bff.common.text import text_fault

USUAL_LIMIT: Final = 50
MOST_LIMIT: Final = 100
LONGEST: Final = 255


class Query:
    """The parameters of this request. Raises ``InvalidRequest`` for one that is not among ``known``."""

    def __init__(self, known: Iterable[str]) -> None:
        known = (*known, "limit", "cursor")
        for name in request.args:
            if name not in known:
                raise InvalidRequest(f"{name[:60]}: is no parameter here; there are {', '.join(known)}")

    def text(self, name: str) -> str | None:
        """A one-line text; None if absent. Raises ``InvalidRequest``."""
        value = request.args.get(name)
        if value is None:
            return None
        if not 0 < len(value) <= LONGEST or (fault := text_fault(value)):
            raise InvalidRequest(f"{name}: {fault if value and len(value) <= LONGEST else _LENGTH}")
        return value

    def choice(self, name: str, choices: Iterable[str]) -> str | None:
        """One of the allowed words; None if absent. Raises ``InvalidRequest``."""
        value = request.args.get(name)
        if value is not None and value not in choices:
            raise InvalidRequest(f"{name}: write one of {', '.join(choices)}")
        return value

    def moment(self, name: str) -> datetime | None:
        """A time with an offset (RFC 3339); None if absent. Raises ``InvalidRequest``."""
        value = request.args.get(name)
        if value is None:
            return None
        try:
            # A "+" that was not percent-encoded is decoded as a space.
            moment = datetime.fromisoformat(value.replace(" ", "+") if "T" in value else value)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise InvalidRequest(f"{name}: write a time with its zone, such as 2026-01-31T12:00:00Z")

    def limit(self) -> int:
        """The page size. Raises ``InvalidRequest``."""
        value = request.args.get("limit", str(USUAL_LIMIT))
        if not value.isascii() or not value.isdigit() or len(value) > 4 or not 1 <= int(value) <= MOST_LIMIT:
            raise InvalidRequest(f"limit: write a number from 1 to {MOST_LIMIT}")
        return int(value)

    def cursor(self) -> Cursor | None:
        """The cursor; None for the first page. Raises ``InvalidRequest``."""
        value = request.args.get("cursor")
        return None if value is None else read_cursor(value)


_LENGTH: Final = f"write 1 to {LONGEST} characters, or leave it out"
