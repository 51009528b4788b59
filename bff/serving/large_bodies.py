"""Limits the large bodies that are read at a time, in total and for each client address."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from bff.serving.addresses import counted_address

AT_ONCE: Final = 64
"""Maximum large bodies that a worker reads at a time, as unfinished bodies use memory."""
OF_ONE_ADDRESS: Final = 8


class LargeBodies:
    """Counts the large bodies that are being read. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reading: Counter[str] = Counter()

    def begin(self, address: str) -> bool:
        """Count one more for this address. Returns False if too many are being read."""
        with self._lock:
            if self._reading.total() >= AT_ONCE or self._reading[address] >= OF_ONE_ADDRESS:
                return False
            self._reading[address] += 1
            return True

    def end(self, address: str) -> None:
        """One of this address has been read, or has broken off."""
        with self._lock:
            self._reading[address] -= 1
            if not self._reading[address]:
                del self._reading[address]


def sender_of(environ: Mapping[str, Any], hops: int) -> str:
    """The address to count for, before ``ProxyFix`` has set it: as the last ``hops`` proxies wrote it."""
    forwarded = str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    named = forwarded[-hops] if 0 < hops <= len(forwarded) else ""
    return counted_address(named.strip() or environ.get("REMOTE_ADDR"))
