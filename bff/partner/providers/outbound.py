"""Where this service may send requests to: public addresses, over TLS, and what its operator allows."""

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
"""All of IPv6 that is routed between sites; a mapped or compatible IPv4 address is outside of it."""
_SPECIAL: Final = tuple(
    # Beside what ``is_global`` knows: relays, tunnels, and protocols' own (IANA special-purpose registries).
    ipaddress.ip_network(network)
    for network in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20")
)
_ENDS_IN_NUMBER: Final = re.compile(r"(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$", re.IGNORECASE)


class ForbiddenUrl(Exception):
    """A URL that no request goes to. The message says why and what to write instead."""


def parts_of(url: str) -> SplitResult:
    """The parts of an absolute URL that every reader reads alike. Raises ``ForbiddenUrl``."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.fragment or not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>'):
        raise ForbiddenUrl("write an absolute URL such as https://login.example.com/authorize")
    if "@" in parts.netloc:
        # http://localhost:80@attacker.test: a name in front of the host is read by people as the host.
        raise ForbiddenUrl("write it without a user name")
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and is_this_machine(host)):
        raise ForbiddenUrl("write https:// (http:// is for this machine only)")
    if ":" not in host and _ENDS_IN_NUMBER.search(host) and not _is_address(host):
        # 2130706433, 0x7f.1 and 127.1 are all 127.0.0.1 to the resolver.
        raise ForbiddenUrl("write the address as four decimal numbers")
    return parts


def is_this_machine(host: str) -> bool:
    """Whether a host name is this machine's: every name below ``localhost`` is (RFC 6761, section 6.3)."""
    return host in LOOPBACK or host.endswith(".localhost")


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, and to no tunnel that leads elsewhere."""
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False
    return address.is_global and not address.is_multicast and not _within(address, _SPECIAL)


def resolve(host: str, port: int) -> list[str]:
    """What this machine's resolver says. Its own time-outs bound it. Raises ``OSError``."""
    host = "localhost" if host.endswith(".localhost") else host
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True)
class Policy:
    """What may be called. ``loopback``: this machine too, over http, as when the service itself is there."""

    loopback: bool = False
    networks: tuple[Network, ...] = ()
    resolver: Resolver = resolve

    def check(self, url: str) -> SplitResult:
        """What can be said of a URL without asking anybody. Raises ``ForbiddenUrl``."""
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
        """Where ``host`` may be connected to: exactly these. Raises ``ForbiddenUrl`` or ``OSError``.

        One forbidden address among several forbids all: which one is taken must not be the answer's choice.
        """
        found = [ipaddress.ip_address(text.partition("%")[0]) for text in self.resolver(host, port)]
        if not found:
            raise ForbiddenUrl(f"{host} has no address")
        for address in found:
            self._require(address)
        return [str(address) for address in dict.fromkeys(found)]

    def _require(self, address: Address) -> None:
        here = self.loopback and _within(address, _THIS_MACHINE)
        if not (here or is_public(address) or _within(address, self.networks)):
            raise ForbiddenUrl(
                f"{address} is no public address; HITCHPOST_EMBEDDED_ALLOWED_NETWORKS may name its network"
            )


def networks_of(text: str) -> tuple[Network, ...]:
    """Comma-separated networks (CIDR). Raises ``ValueError`` saying what to write instead."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(f"write networks such as 10.1.0.0/16, comma-separated: {error}") from None


def policy_of(public_url: str, networks: tuple[Network, ...]) -> Policy:
    """The policy of a service that browsers reach at ``public_url``."""
    parts = urlsplit(public_url)
    return Policy(loopback=parts.scheme == "http" and parts.hostname in LOOPBACK, networks=networks)


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _is_address(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
