"""Signed tokens of sign-in forms, which name the attempt, the submission count and the fields."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from itsdangerous import BadData, URLSafeTimedSerializer

from bff.common.secret import Secret, fingerprint
from bff.connect.attempt import LAUNCHED_LIFE, Attempt

SALT: Final = "hitchpost.form.v1"
FIELD: Final = "form_token"
LONGEST_SECONDS: Final = 2 * int(LAUNCHED_LIFE.total_seconds())
"""Life of a token in seconds. The life of the attempt is limited separately."""


class FormTokens:
    """Issues and verifies form tokens. Each can be used once: a submission increases the count it names."""

    def __init__(self, keys: Sequence[Secret]) -> None:
        # itsdangerous expects the oldest key first, and signs with the last.
        self._serializer = URLSafeTimedSerializer(
            [key.reveal() for key in reversed(keys)],
            salt=SALT,
            signer_kwargs={"digest_method": sha256, "key_derivation": "hmac"},
        )

    def issue(self, attempt: Attempt, turn: int, fields: Sequence[str]) -> str:
        """Issue a token for the form of ``attempt`` with ``fields``, submitted ``turn`` times before."""
        signed = self._serializer.dumps([attempt.id, turn, _digest(fields)])
        return signed if isinstance(signed, str) else signed.decode()

    def turn(self, attempt: Attempt, fields: Sequence[str], unverified: str) -> int | None:
        """The ``turn`` of a token; None if it is of another form, forged or expired."""
        try:
            shown_for, turn, shown = self._serializer.loads(unverified, max_age=LONGEST_SECONDS)
        except BadData:
            return None
        # Values are submitted by position. If the fields have changed, a secret could reach another field.
        return turn if (shown_for, shown) == (attempt.id, _digest(fields)) and isinstance(turn, int) else None


def _digest(fields: Sequence[str]) -> str:
    return fingerprint("\n".join(fields))[:16]
