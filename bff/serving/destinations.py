"""Checks the targets of outgoing requests to URLs that others choose, against server-side request forgery."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Iterable[str]]
"""The addresses of a host name for a port, as texts. Raises ``OSError``."""

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_THIS_MACHINE: Final = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_UNICAST: Final = ipaddress.ip_network("2000::/3")
"""The IPv6 global unicast range. IPv4-mapped and IPv4-compatible addresses are outside of it."""
_SPECIAL: Final = tuple(
    # Not covered by ``is_global``: relays, tunnels, protocol assignments (IANA special-purpose registries).
    ipaddress.ip_network(network)
    for network in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20")
)
_ENDS_IN_NUMBER: Final = re.compile(r"(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$", re.IGNORECASE)


class ForbiddenUrl(Exception):
    """A URL to which no request is sent. The message says why, and what to write instead."""


def parts_of(url: str) -> SplitResult:
    """Parse an absolute URL. Raises ``ForbiddenUrl`` if parsers could disagree about its host."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>'):
        raise ForbiddenUrl("write an absolute URL such as https://login.example.com/authorize")
    if parts.fragment:
        raise ForbiddenUrl("write it without # and what follows, which no server receives")
    if "@" in parts.netloc:
        # In http://localhost:80@attacker.test, people mistake the user name for the host.
        raise ForbiddenUrl("write it without a user name")
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and is_this_machine(host)):
        raise ForbiddenUrl("write https:// (http:// is for this machine only)")
    if ":" not in host and _ENDS_IN_NUMBER.search(host) and not _is_address(host):
        # Resolvers accept 2130706433, 0x7f.1 and 127.1 as 127.0.0.1.
        raise ForbiddenUrl("write the address as four decimal numbers")
    return parts


def is_this_machine(host: str) -> bool:
    """Whether a host name is loopback, as every name below ``localhost`` is (RFC 6761, section 6.3)."""
    return host in LOOPBACK or host.endswith(".localhost")


def is_public(address: Address) -> bool:
    """Whether an address is on the public internet, and not of a tunnel or relay."""
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False
    return address.is_global and not address.is_multicast and not _within(address, _SPECIAL)


def resolve(host: str, port: int) -> list[str]:
    """Resolve a name with the system's resolver and its timeouts. Raises ``OSError``."""
    host = "localhost" if host.endswith(".localhost") else host
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True)
class Policy:
    """Which targets are allowed: public addresses over https, and ``networks``.

    ``loopback``: allow this machine too, also over http, as for development. ``setting`` is the variable with
    which an operator sets ``networks``. ``fixed_hosts``: names that no user can choose.
    """

    loopback: bool = False
    networks: tuple[Network, ...] = ()
    resolver: Resolver = resolve
    setting: str = ""
    fixed_hosts: frozenset[str] = frozenset()

    def check(self, url: str) -> SplitResult:
        """Check a URL without resolving its host; return its parts. Raises ``ForbiddenUrl``."""
        parts = parts_of(url)
        if parts.scheme == "http" and not self.loopback:
            raise ForbiddenUrl("write https:// (the service is not on this machine's http itself)")
        try:
            literal = ipaddress.ip_address(parts.hostname or "")
        except ValueError:
            return parts
        self._require(literal)
        return parts

    def addresses(self, host: str, port: int) -> list[str]:
        """Resolve ``host``; return its addresses, all allowed. Raises ``ForbiddenUrl`` or ``OSError``.

        One forbidden address forbids the host, as a DNS answer must not select which address is used.
        """
        addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in self.resolver(host, port)]
        if not addresses:
            raise ForbiddenUrl(f"{host} has no address")
        for address in addresses:
            self._require(address)
        return [str(address) for address in dict.fromkeys(addresses)]

    def _require(self, address: Address) -> None:
        is_loopback = self.loopback and _within(address, _THIS_MACHINE)
        if not (is_loopback or is_public(address) or _within(address, self.networks)):
            advice = f"; {self.setting} may name its network" if self.setting else ""
            raise ForbiddenUrl(f"{address} is no public address{advice}")


def networks_of(text: str) -> tuple[Network, ...]:
    """Parse comma-separated networks (CIDR). Raises ``ValueError`` that says what to write instead."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(f"write networks such as 10.1.0.0/16, comma-separated: {error}") from None


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _is_address(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


def is_address(host: str) -> bool:
    """Whether a host is an address, which needs no look-up. IPv6 may be in brackets."""
    try:
        ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True
