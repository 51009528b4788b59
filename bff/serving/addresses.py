"""Parses client addresses as servers and proxies write them, and normalizes them for rate limits."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

LONGEST: Final = 100
"""Maximum characters of an address with zone, brackets and port."""

# With a port, as some proxies write them; IPv6 then in brackets (RFC 7239, section 6).
_V4: Final = re.compile(r"([0-9.]{7,15}):[0-9]{1,5}")
_V6: Final = re.compile(r"\[([0-9A-Fa-f:.]{2,45}(?:%[\w.-]{1,30})?)\](?::[0-9]{1,5})?", re.ASCII)


def client_address(text: str) -> str | None:
    """The address in a ``REMOTE_ADDR`` or ``X-Forwarded-For`` value, without port; None if malformed."""
    if len(text) > LONGEST:
        return None
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
    if bare is None:
        return "local"
    address = ip_address(bare)
    if not isinstance(address, IPv6Address):
        return bare
    return str(address.ipv4_mapped or ip_network((int(address), 64), strict=False).network_address)
