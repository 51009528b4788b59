"""Whether a launch token is still usable, and using it up."""

from __future__ import annotations

from bff.common.errors import LaunchRefused
from bff.connect.attempt import LIVE, Attempt, AttemptChanges, Status
from bff.connect.ports import AttemptStore


def is_usable(attempt: Attempt) -> bool:
    """Whether the attempt is live, no sign-in token is stored for it, and no form was opened.

    Does not check ``expires_at``.
    """
    return attempt.status in LIVE and attempt.minted_at is None and attempt.browser_sha256 is None


def use_up(attempts: AttemptStore, attempt: Attempt, changes: AttemptChanges) -> None:
    """Store ``changes``: their ``minted_at`` or ``browser_sha256`` uses up the launch token.

    Raises ``LaunchRefused`` if it was used.
    """
    if attempts.transition(attempt.id, {Status.LAUNCHED}, changes, unused=True) is None:
        raise LaunchRefused("this launch token was used, or its attempt cancelled, while it was opened")
