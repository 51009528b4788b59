"""What a program imports stays: the collector of garbage need not look at it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept() -> Iterator[None]:
    """Of what is imported in the block nothing is looked at by the collector, neither now nor later.

    Now, that would be a quarter of the time that a start takes. Later, in a forked worker, it would write to
    every object, and so give the worker a copy of all the memory that it shares with its parent.
    """
    gc.disable()
    # structlog would load it where it is, 5 MB, for tracebacks in colours. No log of ours has any.
    hidden = sys.modules.setdefault("rich", None) is None  # type: ignore[arg-type]  # "there is no such module"
    try:
        yield
    finally:
        if hidden:
            del sys.modules["rich"]
        gc.freeze()
        gc.enable()
