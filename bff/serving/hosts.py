"""Hosts, as requests and settings name them."""

from __future__ import annotations

import re
from typing import Final

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")


def host_name(header: str) -> str | None:
    """The name in a Host header, in lower case and without its port; None when it is no host."""
    found = _HOST.fullmatch(header)
    return found[1].lower() if found else None
