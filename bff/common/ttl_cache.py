"""A small in-process cache whose entries expire."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

Value = TypeVar("Value")
MOST: Final = 1000


class TtlCache(Generic[Value]):
    """Caches values by key for ``fresh`` seconds each. It is emptied when it would exceed ``MOST`` keys."""

    def __init__(self, fresh: float) -> None:
        self.fresh = fresh
        self._values: dict[str, tuple[float, Value]] = {}

    def get(self, key: str, read: Callable[[str], Value]) -> Value:
        """The cached value, or that of ``read(key)``. An exception of ``read`` is not cached."""
        now = time.monotonic()
        entry = self._values.get(key)
        if entry and now - entry[0] < self.fresh:
            return entry[1]
        value = read(key)
        if len(self._values) >= MOST:
            self._values.clear()
        self._values[key] = now, value
        return value

    def forget(self, key: str) -> None:
        """Drop the entry of ``key``."""
        self._values.pop(key, None)

    def clear(self) -> None:
        """Drop all entries."""
        self._values.clear()
