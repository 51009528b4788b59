"""Whether this program is about to stop, told to every worker of it at once."""

from __future__ import annotations

import mmap
from typing import Final

# Shared by the processes that are forked after this import: the arbiter writes it, its workers read it.
_FLAG: Final = mmap.mmap(-1, 1)


def begin() -> None:
    """From now on the program is not ready."""
    _FLAG[0] = 1


def end() -> None:
    """The program is ready again: for tests, which share a process."""
    _FLAG[0] = 0


def has_begun() -> bool:
    """Whether the program is about to stop."""
    return _FLAG[0] == 1
