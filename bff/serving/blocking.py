"""Work that waits inside the kernel or a library, where no other request of a gevent worker would go on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def aside(work: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
    """What ``work`` answers: done by a thread of its own in a process that gevent has patched, else here."""
    if not is_patched():
        return work(*arguments, **named)
    from gevent import get_hub  # noqa: PLC0415  # only where it is loaded already

    done: R = get_hub().threadpool.apply(work, arguments, named)
    return done


def is_patched() -> bool:
    """Whether gevent has patched this process: its threads are greenlets then, which cost next to nothing."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))
