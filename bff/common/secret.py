"""A string that does not appear in logs or tracebacks by accident."""

from __future__ import annotations

import hashlib
import hmac
from typing import final


@final
class Secret:
    """Wraps a secret. It prints as ``Secret('***')`` and compares in constant time."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself; never pass the result to a log, a URL of ours or a script."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)


def fingerprint(value: str) -> str:
    """SHA-256 of ``value`` in hexadecimal.

    One-time values are stored in this form. Without a salt it is safe only for values of at least 128 random
    bits.
    """
    return hashlib.sha256(value.encode()).hexdigest()
