"""Advice for a developer whose page is refused because its origin is not registered."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from bff.common.origins import PLAIN, origin_fault

APPLY: Final = "then run: hitchpost products apply FILE"


def origin_advice(key: str, origins: Collection[str], origin: str) -> str | None:
    """Say why a page at ``origin`` is refused, and what to do about it. None for a registered origin.

    The advice reveals only whether a registered origin has the same host. A caller could find that out by
    trying origins anyway.
    """
    if origin in origins:
        return None
    shown = origin or "(none)"
    similar = _similar_origin(origins, origin)
    return f"origin {shown} is not registered for product {key}{similar}: {_remedy(key, origin)}"


def _remedy(key: str, origin: str) -> str:
    if not origin:
        return "call this from a page; its browser names the origin by itself"
    if origin == "null":
        return "give the page's sandboxed frame allow-same-origin, or serve the page over https"
    fault = origin_fault(origin)
    if fault == PLAIN:
        return "open this page over https, and register that address"
    if fault:
        return f"it is no origin as browsers write it: {fault}"
    return f'add "{origin}" to the origins of the product "{key}" in the product file, {APPLY}'


def _similar_origin(origins: Collection[str], origin: str) -> str:
    if origin_fault(origin) not in {None, PLAIN}:
        return ""
    requested = urlsplit(origin)
    same_host = [found for each in origins if (found := urlsplit(each)).hostname == requested.hostname]
    if not same_host:
        return ""
    if any(found.port == requested.port for found in same_host):
        return f" ({requested.hostname} is, with another scheme than {requested.scheme})"
    port = f"port {requested.port}" if requested.port else "none"
    return f" ({requested.hostname} is, with another port than {port})"
