"""Signed proof, in the interstitial page's form, that the page was shown for an attempt, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from itsdangerous import BadData

from bff.common.secret import Secret
from bff.connect.attempt import Attempt
from bff.connect.new_attempt import UNLAUNCHED_LIFE
from bff.web.kit.timed_tokens import TimedTokens

SALT: Final = "hitchpost.interstitial.v1"
FIELD: Final = "confirmation"
NOT_BEFORE: Final = timedelta(seconds=1)
"""Minimum time between showing the page and its click. A faster click was meant for another page."""


class Confirmations:
    """Issues proofs and verifies them when the form is submitted.

    The page's script ignores clicks in the first second in which the page is visible. The server checks the
    same delay, in case the form is submitted without the script.
    """

    def __init__(self, keys: Sequence[Secret], clock: Callable[[], datetime]) -> None:
        self._tokens = TimedTokens(keys, SALT, clock)
        self._clock = clock

    def issue(self, attempt: Attempt) -> str:
        """Sign a proof for one showing of the page."""
        return self._tokens.sign([attempt.id, self._clock().timestamp()])

    def is_pressed(self, attempt: Attempt, unverified: str) -> bool:
        """Whether a proof is of this attempt and at least ``NOT_BEFORE`` old."""
        try:
            shown_for, at = self._tokens.read(unverified, UNLAUNCHED_LIFE)
        except BadData:
            return False
        age = self._clock() - datetime.fromtimestamp(at, UTC)
        return bool(shown_for == attempt.id and NOT_BEFORE <= age <= UNLAUNCHED_LIFE)
