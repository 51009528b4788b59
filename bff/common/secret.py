"""A secret string that never shows itself by accident."""

from __future__ import annotations

import hashlib
import hmac
from typing import final


@final
class Secret:
    """A value that prints as ``Secret('***')`` and must be revealed on purpose."""

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
    """SHA-256 of ``value`` in hexadecimal: how a one-time value (at least 128 random bits) is stored."""
    return hashlib.sha256(value.encode()).hexdigest()
