"""Reads the ``Idempotency-Key`` header."""

from __future__ import annotations

from typing import Final

from flask import request

from bff.common.errors import InvalidRequest

LONGEST_KEY: Final = 255


def idempotency_key() -> str | None:
    """The key of this request; None without the header. Raises ``InvalidRequest``."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and (not 0 < len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable()):
        raise InvalidRequest(f"Idempotency-Key: write 1 to {LONGEST_KEY} printable ASCII characters")
    return key
