"""How often the partner service is asked about one attempt, however many pages wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bff.core.model import Attempt, Hint

LEASE: Final = timedelta(seconds=30)
"""No question outlives this; should its process die, the next one may be asked then."""
AFTERGLOW: Final = timedelta(seconds=3)
"""For so long after a signal the next looks count as signalled: the news may trail the signal."""
REFILL: Final = timedelta(seconds=5)
"""Every so often an attempt earns one more question: 24 in two minutes, beside what it began with."""

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


def turn(attempt: Attempt, hint: Hint | None, now: datetime) -> Turn:
    """When the partner service may be asked, given the attempt's age and what made the page look.

    Signals may ask sooner than polls, and draw on a few questions that polls leave over; so a click whose
    user does nothing for two minutes costs at most 28 questions, and one with signals at most 30.
    """
    age = now - (attempt.launched_at or now)
    fresh = attempt.hinted_at is not None and now - attempt.hinted_at < AFTERGLOW
    if hint is None and not fresh:
        spacing, reserve = min(max(age / 2, FIRST_SPACING), LAST_SPACING), 4
    elif hint is Hint.FOCUS:
        spacing, reserve = timedelta(seconds=1), 5
    elif hint in PLAIN_NEWS:
        spacing, reserve = timedelta(0), 6
    else:
        spacing, reserve = timedelta(milliseconds=250), 6
    return Turn(now - spacing, reserve + age // REFILL, now + LEASE)
