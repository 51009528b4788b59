"""What is read often and changes seldom, remembered for a moment in this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

Value = TypeVar("Value")
MOST: Final = 1000


class Kept(Generic[Value]):
    """Values by key, each for ``fresh`` seconds; of more than ``MOST`` keys all are forgotten."""

    def __init__(self, fresh: float) -> None:
        self.fresh = fresh
        self._values: dict[str, tuple[float, Value]] = {}

    def get(self, key: str, read: Callable[[str], Value]) -> Value:
        """The value, read anew if need be. What ``read`` raises is not remembered."""
        now = time.monotonic()
        kept = self._values.get(key)
        if kept and now - kept[0] < self.fresh:
            return kept[1]
        value = read(key)
        if len(self._values) >= MOST:
            self._values.clear()
        self._values[key] = now, value
        return value

    def forget(self, key: str) -> None:
        """Read this one anew next time."""
        self._values.pop(key, None)

    def clear(self) -> None:
        """Read everything anew."""
        self._values.clear()
