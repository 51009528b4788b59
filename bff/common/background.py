"""Work that is done beside its caller, in threads; greenlets, where a server has made threads those."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Final, Protocol, TypeVar

from bff.serving.blocking import is_patched

GREENLETS: Final = 512
"""So many calls are made aside at once where each is a greenlet."""
T = TypeVar("T")


class Aside(Protocol):
    """Where work is done while its caller goes on."""

    def __call__(self, work: Callable[[], T]) -> Future[T]:
        """Begin it."""


def aside(threads: int) -> Aside:
    """So many calls at once as a worker with this many threads needs."""
    return at_most(GREENLETS if is_patched() else threads)


def at_most(size: int) -> Aside:
    """``size`` calls at once; those beyond wait."""
    pools: dict[int, ThreadPoolExecutor] = {}

    def begin(work: Callable[[], T]) -> Future[T]:
        # Threads do not survive a fork, and a pool that believes in them would wait for ever.
        pool = pools.get(os.getpid())
        if pool is None:
            fresh = ThreadPoolExecutor(size, thread_name_prefix="aside")
            pool = pools.setdefault(os.getpid(), fresh)
        # Its lines in the log belong to the same request.
        return pool.submit(copy_context().run, work)

    return begin
