"""Runs calls in background threads. Under gevent, which patches ``threading``, these are greenlets."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Final, Protocol, TypeVar

from bff.serving.blocking import is_patched

GREENLETS: Final = 512
"""Parallel background calls of a process whose threads are greenlets."""
T = TypeVar("T")


class Submit(Protocol):
    """Starts work in the background."""

    def __call__(self, work: Callable[[], T]) -> Future[T]:
        """Start ``work`` and return its future."""


def background_pool(threads: int) -> Submit:
    """A pool for a worker process that serves requests by ``threads`` threads."""
    return bounded_pool(GREENLETS if is_patched() else threads)


def bounded_pool(size: int) -> Submit:
    """A pool that runs ``size`` calls in parallel. Further ones wait for a free thread."""
    pools: dict[int, ThreadPoolExecutor] = {}

    def begin(work: Callable[[], T]) -> Future[T]:
        # One pool per process: a forked one would wait for threads that exist in its parent only.
        pool = pools.get(os.getpid())
        if pool is None:
            created = ThreadPoolExecutor(size, thread_name_prefix="background")
            pool = pools.setdefault(os.getpid(), created)
        # The copied context holds the request id for the log.
        return pool.submit(copy_context().run, work)

    return begin
