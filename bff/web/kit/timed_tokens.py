"""Signed values with the time of their signing, by the clock that all machines share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from itsdangerous import SignatureExpired, TimestampSigner, URLSafeTimedSerializer

from bff.common.secret import Secret
from bff.identity.sessions import CLOCK_TOLERANCE


class TimedTokens:
    """Signs values of one purpose (``salt``) and reads them. The newest key signs; every key verifies."""

    def __init__(self, keys: Sequence[Secret], salt: str, clock: Callable[[], datetime]) -> None:
        # itsdangerous expects the oldest key first, and signs with the last.
        self._serializer = URLSafeTimedSerializer(
            [key.reveal() for key in reversed(keys)],
            salt=salt,
            signer=_signing_by(clock),
            signer_kwargs={"digest_method": sha256, "key_derivation": "hmac"},
        )
        self._clock = clock

    def sign(self, value: Any) -> str:
        """Sign a value that JSON can hold."""
        signed = self._serializer.dumps(value)
        return signed if isinstance(signed, str) else signed.decode()

    def verify(self, unverified: str) -> tuple[Any, datetime]:
        """The value and when it was signed (UTC, whole seconds), however long ago. Raises ``BadData``."""
        value, signed_at = self._serializer.loads(unverified, return_timestamp=True)
        return value, signed_at

    def read(self, unverified: str, longest: timedelta) -> Any:
        """The value. Raises ``BadData`` if it was signed longer ago, or is not one of ours."""
        value, signed_at = self.verify(unverified)
        # The library would refuse each that another machine signed a moment from now.
        if not -CLOCK_TOLERANCE <= self._clock() - signed_at <= longest:
            raise SignatureExpired("signed too long ago, or in the future", value, signed_at)
        return value


def _signing_by(clock: Callable[[], datetime]) -> type[TimestampSigner]:
    """A signer that takes its timestamps from ``clock`` instead of the system clock."""

    class Signer(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(clock().timestamp())

    return Signer
