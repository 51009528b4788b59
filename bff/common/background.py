"""The interface of what runs work beside its caller."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

T = TypeVar("T")


class Aside(Protocol):
    """Where work is done while its caller goes on."""

    def __call__(self, work: Callable[[], T]) -> Future[T]:
        """Begin it."""
