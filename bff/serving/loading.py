"""What a program imports stays: the collector of garbage need not look at it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept() -> Iterator[None]:
    """Of what is imported in the block nothing is looked at by the collector, neither now nor later.

    Now, that would be a quarter of the time that a start takes. Later, in a forked worker, it would write to
    every object, and so give the worker a copy of all the memory that it shares with its parent.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
