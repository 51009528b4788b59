"""Signed tokens of sign-in forms, which name the attempt, the submission count and the fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from itsdangerous import BadData

from bff.common.secret import Secret, fingerprint
from bff.connect.attempt import LAUNCHED_LIFE, Attempt
from bff.web.kit.timed_tokens import TimedTokens

SALT: Final = "hitchpost.form.v1"
FIELD: Final = "form_token"
LONGEST: Final = 2 * LAUNCHED_LIFE
"""Life of a token. The life of the attempt is limited separately."""


class FormTokens:
    """Issues and verifies form tokens. Each can be used once: a submission increases the count it names."""

    def __init__(self, keys: Sequence[Secret], clock: Callable[[], datetime]) -> None:
        self._tokens = TimedTokens(keys, SALT, clock)

    def issue(self, attempt: Attempt, submitted_before: int, fields: Sequence[str]) -> str:
        """Issue a token for the form of ``attempt`` with ``fields``, submitted that often before."""
        return self._tokens.sign([attempt.id, submitted_before, _digest(fields)])

    def submitted_before(self, attempt: Attempt, fields: Sequence[str], unverified: str) -> int | None:
        """How often the form was submitted before; None for a token of another form, forged or expired."""
        try:
            shown_for, count, shown = self._tokens.read(unverified, LONGEST)
        except BadData:
            return None
        # Values are submitted by position. If the fields have changed, a secret could reach another field.
        if (shown_for, shown) != (attempt.id, _digest(fields)) or not isinstance(count, int):
            return None
        return count


def _digest(fields: Sequence[str]) -> str:
    return fingerprint("\n".join(fields))[:16]
