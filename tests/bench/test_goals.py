"""Which goals a run measures."""

from __future__ import annotations

import pytest

from bench.goals import GOALS, measure_of


def test_there_are_eleven_goals() -> None:
    """Each of them has its place in a run."""
    assert sorted(GOALS) == list(range(1, 12))


@pytest.mark.parametrize("number", GOALS)
def test_somebody_measures_each_goal(number: int) -> None:
    """A goal that nobody measures would be told of only at the end of a long run."""
    assert callable(measure_of(number))
