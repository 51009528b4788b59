"""Limits how often the partner service is polled for one attempt, however many pages wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bff.connect.attempt import Attempt, Hint
from bff.connect.outcome import may_succeed_until

POLL_CLAIM: Final = timedelta(seconds=30)
"""Longer than a poll takes with the default timeouts. After a process died in one, none starts before."""
HINT_EFFECT: Final = timedelta(seconds=15)
"""How long a hint speeds up polling: the partner service's status may lag the signal."""

INITIAL_POLLS: Final = 16
"""The polls that an attempt may use up at once; each refill interval adds one."""
CONSENT: Final = timedelta(minutes=2)
"""How long a typical consent takes. During it an attempt earns 30 polls in all."""
REFILL, LATER_REFILL = CONSENT / (30 - INITIAL_POLLS), timedelta(seconds=5)
"""The refill interval during ``CONSENT``, and after it."""

DECISIVE_HINTS: Final = frozenset({Hint.MESSAGE, Hint.RETURNED, Hint.TROUBLE, Hint.CANCEL})
"""Hints that mean something has happened, or that the attempt is about to end: these poll at once."""
FIRST_SPACING, LAST_SPACING = timedelta(seconds=1), timedelta(seconds=4.75)
"""Time between polls without a hint. The last is shorter than the widget's interval without a reachable popup
(``MAX_DELAY`` in sign-in.ts, 5 s), so that each of its requests polls."""


LOOK_DELAY: Final = timedelta(minutes=5)
"""Time to the first look at an attempt that was given up, and to the next while the partner service is
unavailable."""
LATEST_LOOK: Final = timedelta(minutes=45)
"""How long an attempt that was given up is looked at after its sign-in can no longer succeed.

Until then, every sign-in that could be mistaken for its own is still stored (bff/purge.py).
"""


@dataclass(frozen=True)
class PollPermit:
    """Permission to poll, unless a poll was made after ``not_since`` or ``most`` polls were made in all."""

    not_since: datetime
    most: int
    claimed_until: datetime

    def may_be_due(self, attempt: Attempt) -> bool:
        """Whether claiming it may succeed, judged by the attempt as it was read: saves a write if not."""
        last_poll = attempt.polled_at
        return attempt.polls < self.most and (last_poll is None or last_poll <= self.not_since)


def poll_permit(attempt: Attempt, hint: Hint | None, now: datetime) -> PollPermit:
    """When the attempt may be polled, by its age and by the hint of the page.

    During ``CONSENT`` polls without a hint use less than the budget; the rest is for hints, which may poll
    sooner. Afterwards they may use all of it but the last poll.
    """
    age = now - (attempt.launched_at or now)
    earned = INITIAL_POLLS + min(age, CONSENT) // REFILL + max(age - CONSENT, timedelta(0)) // LATER_REFILL
    fresh = attempt.hinted_at is not None and now - attempt.hinted_at < HINT_EFFECT
    if hint in DECISIVE_HINTS:
        spacing = timedelta(0)
    elif hint is not None or fresh:
        spacing = timedelta(milliseconds=250)
    else:
        spacing = min(max(age / 2, FIRST_SPACING), LAST_SPACING)
    # The last poll is reserved for decisive hints.
    return PollPermit(now - spacing, earned if hint in DECISIVE_HINTS else earned - 1, now + POLL_CLAIM)


def next_look(attempt: Attempt, now: datetime, *, answered: bool) -> datetime | None:
    """When to look, without a request, whether an attempt that was given up has succeeded; None for never.

    Twice: soon, and when its sign-in can no longer succeed. More often only while the partner service
    is unavailable.
    """
    until = may_succeed_until(attempt)
    if until is None or attempt.account_connector_id is None:
        return None
    if answered:
        return until if now < until else None
    soon = now + LOOK_DELAY
    return soon if soon < until + LATEST_LOOK else None
