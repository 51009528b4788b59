"""Most looks come between two turns: what was read of the attempt says so, and nothing is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bff.connect.poll_schedule import PollPermit
from tests.support.watched_core import WatchedCore


@pytest.mark.parametrize(
    ("polls", "seconds_after", "may"),
    [
        (7, None, True),
        (8, None, False),
        (9, None, False),
        (0, -1.0, True),
        (0, 0.0, True),
        (0, 0.001, False),
        (8, -60.0, False),
    ],
)
def test_a_poll_may_be_due(core: WatchedCore, polls: int, seconds_after: float | None, *, may: bool) -> None:
    """When fewer questions were asked than may be, and the last one long enough ago, or none at all."""
    now = core.clock()
    asked = None if seconds_after is None else now + timedelta(seconds=seconds_after)
    attempt = replace(core.launched(), polls=polls, polled_at=asked)
    assert PollPermit(now, 8, now).may_be_due(attempt) is may
