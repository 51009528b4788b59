"""Limits how often the partner service is polled for one attempt, however many pages wait for it.

By a token bucket: an attempt has ``BURST`` polls at first, and earns another in each refill interval. Its
polls are also spaced: the more closely, the more the page's hint says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bff.connect.attempt import Attempt, Hint
from bff.connect.outcome import may_succeed_until

POLL_LEASE: Final = timedelta(seconds=30)
"""How long the lease of a poll lasts. Longer than a poll takes with the default time-outs.

If a process dies in a poll, the next one starts this long after that one's start.
"""
HINT_EFFECT: Final = timedelta(seconds=15)
"""How long a hint speeds up polling: the partner service's status may lag the signal."""

BURST: Final = 16
"""The polls that an attempt may use up at once; each refill interval adds one."""
TYPICAL_CONSENT_TIME: Final = timedelta(minutes=2)
"""How long a user typically takes to give the consent, from the launch."""
CONSENT_POLLS: Final = 30
"""The polls that an attempt has earned by the end of ``TYPICAL_CONSENT_TIME``."""
REFILL, LATER_REFILL = TYPICAL_CONSENT_TIME / (CONSENT_POLLS - BURST), timedelta(seconds=5)
"""The refill interval during ``TYPICAL_CONSENT_TIME``, and after it."""

DECISIVE_HINTS: Final = frozenset({Hint.MESSAGE, Hint.RETURNED, Hint.TROUBLE, Hint.CANCEL})
"""Hints that mean something has happened, or that the attempt is about to end: these poll at once."""
FIRST_SPACING, LAST_SPACING = timedelta(seconds=1), timedelta(seconds=4.75)
"""Time between polls without a hint. The last is shorter than the widget's interval without a reachable popup
(``MAX_DELAY`` in sign-in.ts, 5 s), so that each of its requests polls."""


RECHECK_DELAY: Final = timedelta(minutes=5)
"""Time to the first recheck of an attempt that was given up, and to the next while the partner service is
unavailable."""
LATEST_RECHECK: Final = timedelta(minutes=45)
"""How long an attempt that was given up is rechecked after its sign-in can no longer succeed.

Until then, every sign-in that could be mistaken for its own is still stored (bff/purge.py).
"""


@dataclass(frozen=True)
class PollPermit:
    """Permission to poll, unless a poll began after ``not_since``, or ``most`` polls were made in all.

    ``lease_end``: when the lease of this poll expires.
    """

    not_since: datetime
    most: int
    lease_end: datetime

    def may_be_due(self, attempt: Attempt) -> bool:
        """Whether the lease may be had, judged by the attempt as it was read: saves a write if not."""
        last_poll = attempt.polled_at
        return attempt.polls < self.most and (last_poll is None or last_poll <= self.not_since)


def poll_permit(attempt: Attempt, hint: Hint | None, now: datetime) -> PollPermit:
    """When the attempt may be polled, by its age and by the hint of the page.

    Polls without a hint are spaced so that they use less than is earned for most of ``TYPICAL_CONSENT_TIME``.
    The rest is for hints, which may poll sooner. The last earned poll is always kept for decisive ones.
    """
    age = now - (attempt.launched_at or now)
    later = max(age - TYPICAL_CONSENT_TIME, timedelta(0))
    earned = BURST + min(age, TYPICAL_CONSENT_TIME) // REFILL + later // LATER_REFILL
    fresh = attempt.hinted_at is not None and now - attempt.hinted_at < HINT_EFFECT
    if hint in DECISIVE_HINTS:
        spacing = timedelta(0)
    elif hint is not None or fresh:
        spacing = timedelta(milliseconds=250)
    else:
        spacing = min(max(age / 2, FIRST_SPACING), LAST_SPACING)
    return PollPermit(now - spacing, earned if hint in DECISIVE_HINTS else earned - 1, now + POLL_LEASE)


def next_recheck(attempt: Attempt, now: datetime, *, answered: bool) -> datetime | None:
    """When to check, without a request, whether a given-up attempt has succeeded; None for never.

    Twice: soon, and when its sign-in can no longer succeed. More often only while the partner service
    is unavailable. ``answered``: it has answered at the last recheck.
    """
    until = may_succeed_until(attempt)
    if until is None or attempt.account_connector_id is None:
        return None
    if answered:
        return until if now < until else None
    soon = now + RECHECK_DELAY
    return soon if soon < until + LATEST_RECHECK else None
