"""How often the partner service is asked about one attempt, however many pages wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bff.connect.attempt import Attempt, Hint

LEASE: Final = timedelta(seconds=30)
"""No question outlives this; should its process die, the next one may be asked then."""
AFTERGLOW: Final = timedelta(seconds=15)
"""For so long after a signal the next looks count as signalled: the news may trail the signal."""

START: Final = 16
"""An attempt may be asked about so often at once, and once more for each refill that passes."""
CONSENT: Final = timedelta(minutes=2)
REFILL, LATER_REFILL = CONSENT / (30 - START), timedelta(seconds=5)
"""30 questions in a consent of two minutes, however many pages wait for it and whatever they signal."""

PLAIN_NEWS: Final = frozenset({Hint.MESSAGE, Hint.RETURNED, Hint.TROUBLE, Hint.CANCEL})
"""After these something has happened for certain, or something final is about to: never too soon to ask."""
FIRST_SPACING, LAST_SPACING = timedelta(seconds=1), timedelta(seconds=4.75)
"""Between two looks without a signal. Less than the widget's slowest poll, or every second were in vain."""


@dataclass(frozen=True)
class Turn:
    """Leave to ask: unless somebody asked after ``not_since``, or ``most`` questions were asked already."""

    not_since: datetime
    most: int
    lease_until: datetime

    def may_have_come(self, attempt: Attempt) -> bool:
        """Whether it is worth a try to claim it: what was seen of the attempt does not speak against it."""
        asked = attempt.checked_at
        return attempt.checks < self.most and (asked is None or asked <= self.not_since)


def turn(attempt: Attempt, hint: Hint | None, now: datetime) -> Turn:
    """When the partner service may be asked, given the attempt's age and what made the page look.

    Polls of one page use up less than is earned; what they leave is for signals, which may ask sooner.
    """
    age = now - (attempt.launched_at or now)
    earned = START + min(age, CONSENT) // REFILL + max(age - CONSENT, timedelta(0)) // LATER_REFILL
    fresh = attempt.hinted_at is not None and now - attempt.hinted_at < AFTERGLOW
    if hint in PLAIN_NEWS:
        spacing = timedelta(0)
    elif hint is not None or fresh:
        spacing = timedelta(milliseconds=250)
    else:
        spacing = min(max(age / 2, FIRST_SPACING), LAST_SPACING)
    # The last one is kept for what is certain.
    return Turn(now - spacing, earned if hint in PLAIN_NEWS else earned - 1, now + LEASE)
