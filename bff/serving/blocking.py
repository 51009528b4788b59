"""Runs blocking calls outside gevent's hub thread, so that they do not block the worker's other requests."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def in_thread_pool(work: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
    """Call ``work`` and return its result: in gevent's thread pool if gevent has patched this process."""
    if not is_patched():
        return work(*arguments, **named)
    from gevent import get_hub  # noqa: PLC0415  # only where it is already loaded

    result: R = get_hub().threadpool.apply(work, arguments, named)
    return result


def is_patched() -> bool:
    """Whether gevent has patched this process, so that its threads are greenlets."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))
