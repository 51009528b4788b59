"""Which process of a run begins with which tests, so that all of them end at about the same time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Final, Protocol, TypeVar

TESTS: Final = Path(__file__).parents[1]
BROWSER: Final = "browser"
LONG: Final = (BROWSER, "faults", "packaging")
"""Folders whose tests take seconds each. One that is left for the end keeps a single process busy."""
ENOUGH: Final = 3
"""Processes from which on one of them begins with no browser."""


class Located(Protocol):
    """A test, which stands in a file."""

    @property
    def path(self) -> Path:
        """The file."""


Test = TypeVar("Test", bound=Located)


def dealt(tests: Sequence[Test], processes: int) -> list[Test]:
    """The tests in the order in which xdist's `worksteal` divides them: equal shares, one after another.

    Each share begins with long tests, a file or a folder of them at a time, and ends with short ones, which
    whoever is done takes over. With three processes or more the last one begins with no browser: it computes
    while the others wait for theirs.
    """
    whole = [
        len(tests) // processes + (number >= processes - len(tests) % processes)
        for number in range(processes)
    ]
    shares: list[list[Test]] = [[] for _ in range(processes)]
    long = sorted((test for test in tests if _unit(test)), key=_unit)
    units = [list(unit) for _, unit in groupby(long, _unit)]
    for unit in sorted(units, key=len, reverse=True):
        min(_shares_for(unit[0], shares), key=len).extend(unit)
    short = iter([test for test in tests if not _unit(test)])
    for share, size in zip(shares, whole, strict=True):
        share.extend(islice(short, max(0, size - len(share))))
    return [test for share in shares for test in share] + list(short)


def computes(first: Located, processes: int) -> bool:
    """Whether a process that begins with this test is the one that begins with no browser."""
    return processes >= ENOUGH and not _unit(first).startswith(BROWSER)


def _shares_for(test: Located, shares: list[list[Test]]) -> list[list[Test]]:
    """The shares that may begin with it."""
    if len(shares) < ENOUGH:
        return shares
    return shares[:-1] if _unit(test).startswith(BROWSER) else shares[-1:]


def _unit(test: Located) -> str:
    """What stays together, for the programs that it shares: a folder within a long one, or a file of it."""
    inside = test.path.relative_to(TESTS).parts if test.path.is_relative_to(TESTS) else ()
    return "/".join(inside[:2]) if inside and inside[0] in LONG else ""
