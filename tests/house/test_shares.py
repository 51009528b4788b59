"""The processes of a run share its tests so that none waits for another at the end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.shares import ENOUGH, TESTS, computes, dealt


@dataclass(frozen=True)
class One:
    """A test in a file."""

    path: Path
    number: int


def some(path: str, count: int) -> list[One]:
    """So many tests in a file."""
    return [One(TESTS / path, number) for number in range(count)]


@pytest.mark.parametrize("processes", [1, 2, 3, 4])
def test_each_process_begins_with_long_tests_and_ends_with_short_ones(processes: int) -> None:
    """No test is lost, none is doubled, and what shares a file stays together."""
    short = some("web/test_a.py", 40)
    files = [f"browser/test_{name}.py" for name in "bcd"] + ["faults/test_e.py"]
    long = [test for path in files for test in some(path, 3)]
    order = dealt([*short[:20], *long, *short[20:]], processes)
    assert sorted(map(hash, order)) == sorted(map(hash, short + long))
    size = len(order) // processes
    shares = [order[at : at + size] for at in range(0, size * processes, size)]
    for share in shares:
        assert share[0] in long
        assert share[-1] in short
    # Which process gets which share is xdist's own affair.
    yielding = [computes(share[0], processes) for share in shares]
    assert yielding == [False] * (processes - 1) + [processes >= ENOUGH]
    for path in files:
        at = [order.index(test) for test in some(path, 3)]
        assert at == list(range(at[0], at[0] + 3))
