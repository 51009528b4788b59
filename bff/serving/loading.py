"""Excludes imported modules from garbage collection."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept() -> Iterator[None]:
    """Disable the garbage collector within the block, and freeze the objects that were created in it.

    Collections would take a quarter of the start's time. Later, in a forked worker, a collection would write
    to every object, and so copy all the memory that the worker shares with its parent.
    """
    gc.disable()
    # structlog would import it (5 MB) for coloured tracebacks, which our logs do not have.
    hidden = sys.modules.setdefault("rich", None) is None  # type: ignore[arg-type]  # "there is no such module"
    try:
        yield
    finally:
        if hidden:
            del sys.modules["rich"]
        gc.freeze()
        gc.enable()
