"""Empties long strings in a JSON stream. Cyclr's lists carry an icon inline with every entry."""

from __future__ import annotations

import re
from typing import Final

_STRING_REST: Final = re.compile(rb"(?:[^\"\\]+|\\.)*", re.DOTALL)
"""The rest of a string, up to its closing quote."""
QUOTE, BACKSLASH = b'"', b"\\"


class LongStrings:
    """Replaces each string of more than ``most`` bytes by the empty string, in constant memory.

    Malformed JSON passes through, possibly changed; the parser after it reports the error.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside = False
        self._escaped = False
        self._held: bytearray | None = None

    def feed(self, chunk: bytes) -> bytes:
        """Process the next chunk. A string that is not complete yet is held back."""
        output, at = bytearray(), 0
        while at < len(chunk):
            at = self._string(chunk, at, output) if self._inside else self._between(chunk, at, output)
        return bytes(output)

    def end(self) -> bytes:
        """The bytes held back, for a body that ends within a string."""
        return bytes(self._held or b"")

    def _between(self, chunk: bytes, at: int, output: bytearray) -> int:
        quote = chunk.find(QUOTE, at)
        end = len(chunk) if quote < 0 else quote + 1
        output += chunk[at:end]
        if quote >= 0:
            self._inside, self._held = True, bytearray()
        return end

    def _string(self, chunk: bytes, at: int, output: bytearray) -> int:
        start = at
        if self._escaped:
            self._escaped, at = False, at + 1
        match = _STRING_REST.match(chunk, at)
        end = match.end() if match else at
        if chunk[end : end + 1] == BACKSLASH:
            # The last byte of this chunk. The character that it escapes comes with the next one.
            self._escaped, end = True, end + 1
        self._hold(chunk[start:end])
        if chunk[end : end + 1] == QUOTE:
            output += (self._held or b"") + QUOTE
            self._inside, self._held = False, None
            end += 1
        return end

    def _hold(self, piece: bytes) -> None:
        if self._held is not None and len(self._held) + len(piece) <= self._most:
            self._held += piece
        else:
            self._held = None
