"""Leaves long strings out of JSON while it arrives: icons come inline with every entry of Cyclr's lists."""

from __future__ import annotations

import re
from typing import Final

_REST: Final = re.compile(rb"(?:[^\"\\]+|\\.)*", re.DOTALL)
QUOTE, BACKSLASH = b'"', b"\\"


class LongStrings:
    """Each string of more than ``most`` bytes becomes the empty one. Its memory is ``most`` and a chunk.

    What is no JSON passes with it, changed or not: whoever parses it then says so.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside = False
        self._escaped = False
        self._held: bytearray | None = None

    def feed(self, chunk: bytes) -> bytes:
        """What is left of the next chunk; the start of a string is held back until its length is known."""
        left, at = bytearray(), 0
        while at < len(chunk):
            at = self._string(chunk, at, left) if self._inside else self._between(chunk, at, left)
        return bytes(left)

    def end(self) -> bytes:
        """What was held back, of a body that ended within a string."""
        return bytes(self._held or b"")

    def _between(self, chunk: bytes, at: int, left: bytearray) -> int:
        quote = chunk.find(QUOTE, at)
        end = len(chunk) if quote < 0 else quote + 1
        left += chunk[at:end]
        if quote >= 0:
            self._inside, self._held = True, bytearray()
        return end

    def _string(self, chunk: bytes, at: int, left: bytearray) -> int:
        start = at
        if self._escaped:
            self._escaped, at = False, at + 1
        found = _REST.match(chunk, at)
        end = found.end() if found else at
        if chunk[end : end + 1] == BACKSLASH:
            # The last byte of this chunk: what it escapes comes with the next.
            self._escaped, end = True, end + 1
        self._hold(chunk[start:end])
        if chunk[end : end + 1] == QUOTE:
            left += (self._held or b"") + QUOTE
            self._inside, self._held = False, None
            end += 1
        return end

    def _hold(self, piece: bytes) -> None:
        if self._held is not None and len(self._held) + len(piece) <= self._most:
            self._held += piece
        else:
            self._held = None
