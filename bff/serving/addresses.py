"""Whose request it is, by address: as servers and proxies write it, and as it counts."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

LONGEST: Final = 100
"""No address is longer, with its zone, its brackets and its port."""

# With a port, as some proxies write it: of IPv6 only in brackets (RFC 7239, section 6).
_V4: Final = re.compile(r"([0-9.]{7,15}):[0-9]{1,5}")
_V6: Final = re.compile(r"\[([0-9A-Fa-f:.]{2,45}(?:%[\w.-]{1,30})?)\](?::[0-9]{1,5})?", re.ASCII)


def client_address(text: str) -> str | None:
    """The bare address in what stands in ``REMOTE_ADDR`` or ``X-Forwarded-For``; None when it is none."""
    if len(text) > LONGEST:
        return None
    given = text.strip().strip('"')
    found = _V4.fullmatch(given) or _V6.fullmatch(given)
    bare = found[1] if found else given
    try:
        return str(ip_address(bare))
    except ValueError:
        return None


def counted_address(text: str | None) -> str:
    """The address that counts; of IPv6 the network of 64 bits, since one customer has all of it."""
    bare = client_address(text or "")
    if bare is None:
        return "local"  # a socket of this machine has none
    found = ip_address(bare)
    if not isinstance(found, IPv6Address):
        return bare
    return str(found.ipv4_mapped or ip_network((int(found), 64), strict=False).network_address)
