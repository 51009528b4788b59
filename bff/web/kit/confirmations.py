"""Signed proof, in the interstitial page's form, that the page was shown for an attempt, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from itsdangerous import BadData, URLSafeTimedSerializer

from bff.common.secret import Secret
from bff.connect.attempt import Attempt
from bff.connect.new_attempt import UNLAUNCHED_LIFE

SALT: Final = "hitchpost.interstitial.v1"
FIELD: Final = "confirmation"
NOT_BEFORE: Final = timedelta(seconds=1)
"""Minimum time between showing the page and its click. A faster click was meant for another page."""
LONGEST_SECONDS: Final = int(UNLAUNCHED_LIFE.total_seconds())


class Confirmations:
    """Issues proofs and verifies them when the form is submitted.

    The page's script ignores clicks in the first second in which the page is visible. The server checks the
    same delay, in case the form is submitted without the script.
    """

    def __init__(self, keys: Sequence[Secret], clock: Callable[[], datetime]) -> None:
        # itsdangerous expects the oldest key first, and signs with the last.
        self._serializer = URLSafeTimedSerializer(
            [key.reveal() for key in reversed(keys)],
            salt=SALT,
            signer_kwargs={"digest_method": sha256, "key_derivation": "hmac"},
        )
        self._clock = clock

    def issue(self, attempt: Attempt) -> str:
        """Sign a proof for one showing of the page."""
        signed = self._serializer.dumps([attempt.id, self._clock().timestamp()])
        return signed if isinstance(signed, str) else signed.decode()

    def is_pressed(self, attempt: Attempt, unverified: str) -> bool:
        """Whether a proof is of this attempt and at least ``NOT_BEFORE`` old."""
        try:
            shown_for, at = self._serializer.loads(unverified, max_age=LONGEST_SECONDS)
        except BadData:
            return False
        age = self._clock() - datetime.fromtimestamp(at, UTC)
        return bool(shown_for == attempt.id and NOT_BEFORE <= age <= UNLAUNCHED_LIFE)
