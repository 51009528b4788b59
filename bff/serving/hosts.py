"""Parses host names of requests and settings."""

from __future__ import annotations

import re
from typing import Final

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")


def host_name(header: str) -> str | None:
    """The name in a Host header, in lower case and without port; None if it is malformed."""
    match = _HOST.fullmatch(header)
    return match[1].lower() if match else None
