"""Waiting for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T | None], seconds: float = 60.0, *, every: float = 0.02) -> T:
    """What ``condition`` answers once it is true; fails when it has not become so.

    ``every``: seconds from one look to the next; more where a look is work that others wait for.
    """
    ends = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < ends, f"not within {seconds} seconds"
        time.sleep(every)
    return found
