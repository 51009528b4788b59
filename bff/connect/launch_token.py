"""Whether a launch token is still usable, and using it up."""

from __future__ import annotations

from datetime import datetime

from bff.common.errors import HitchpostError, LaunchPostponed, LaunchRefused
from bff.connect.attempt import LIVE, Attempt, AttemptChanges, Status
from bff.connect.ports import AttemptStore


def is_usable(attempt: Attempt) -> bool:
    """Whether the attempt is live, no sign-in token is stored for it, and no form was opened.

    Does not check ``expires_at``.
    """
    return attempt.status in LIVE and attempt.minted_at is None and attempt.browser_sha256 is None


def use_up(attempts: AttemptStore, attempt: Attempt, changes: AttemptChanges, lease_end: datetime) -> None:
    """Store ``changes``: their ``minted_at`` or ``browser_sha256`` uses up the launch token.

    ``lease_end``: of the caller's lease of the launch. Raises ``LaunchRefused`` if the token was used,
    ``LaunchPostponed`` if another process has the lease by now.
    """
    if attempts.transition(attempt.id, {Status.LAUNCHED}, changes, lease_end=lease_end) is None:
        raise lost_lease(attempts.get(attempt.id))


def lost_lease(current: Attempt | None) -> HitchpostError:
    """The error of a try that has lost its lease. ``current``: the attempt as it is stored now."""
    if current is not None and is_usable(current):
        return LaunchPostponed("this launch took too long; another process is trying it now")
    return LaunchRefused("this launch token was used, or its attempt cancelled, while it was opened")
