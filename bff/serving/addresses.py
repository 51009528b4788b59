"""Parses client addresses as servers and proxies write them, and normalizes them for rate limits."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

LONGEST: Final = 100
"""Maximum characters of an address with zone, brackets and port."""
KEPT: Final = 1000
"""Addresses that are kept as parsed. A request asks for its own several times."""

# With a port, as some proxies write them; IPv6 then in brackets (RFC 7239, section 6).
_V4: Final = re.compile(r"([0-9.]{7,15}):[0-9]{1,5}")
_V6: Final = re.compile(r"\[([0-9A-Fa-f:.]{2,45}(?:%[\w.-]{1,30})?)\](?::[0-9]{1,5})?", re.ASCII)


def client_address(text: str) -> str | None:
    """The address in a ``REMOTE_ADDR`` or ``X-Forwarded-For`` value, without port; None if malformed."""
    return _parsed(text) if len(text) <= LONGEST else None


@lru_cache(KEPT)
def _parsed(text: str) -> str | None:
    value = text.strip().strip('"')
    match = _V4.fullmatch(value) or _V6.fullmatch(value)
    bare = match[1] if match else value
    try:
        return str(ip_address(bare))
    except ValueError:
        return None


def counted_address(text: str | None) -> str:
    """The address for rate limits. For IPv6 it is the /64 network, which usually belongs to one customer.

    ``local`` if there is no address, as on a Unix socket.
    """
    bare = client_address(text or "")
    return "local" if bare is None else _network(bare)


@lru_cache(KEPT)
def _network(bare: str) -> str:
    address = ip_address(bare)
    if not isinstance(address, IPv6Address):
        return bare
    return str(address.ipv4_mapped or ip_network((int(address), 64), strict=False).network_address)
