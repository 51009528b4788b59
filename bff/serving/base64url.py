"""Base64url without padding (RFC 4648, section 5)."""

from __future__ import annotations

import base64


def encode(value: bytes) -> str:
    """The text for these bytes."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of a text. Raises ``ValueError``; ignores characters that are not of the alphabet."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
