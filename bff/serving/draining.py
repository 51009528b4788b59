"""The draining flag, which the arbiter and all its workers share: the program is about to stop."""

from __future__ import annotations

import mmap
from typing import Final

# Memory shared with processes that are forked after this import. The arbiter writes it, the workers read it.
_FLAG: Final = mmap.mmap(-1, 1)


def begin() -> None:
    """Set the flag: readiness checks fail from now on."""
    _FLAG[0] = 1


def end() -> None:
    """Clear the flag. For tests, which share a process."""
    _FLAG[0] = 0


def has_begun() -> bool:
    """Whether the flag is set."""
    return _FLAG[0] == 1
