"""What a process does differently where gevent has patched it: blocking calls, and polls that do not wait."""

from __future__ import annotations

import select
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


def is_readable_now(file_descriptor: int) -> bool:
    """Whether a file or socket has something to read, its end or an error. Does not wait.

    By the operating system's own poll: gevent's would register with its event loop and switch to it.
    """
    poll = select.poll
    if is_patched():
        from gevent.monkey import get_original  # noqa: PLC0415  # only where it is already loaded

        poll = get_original("select", "poll")
    polled = poll()
    polled.register(file_descriptor, select.POLLIN)
    return bool(polled.poll(0))
