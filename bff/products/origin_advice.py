"""What to write into the product file where a page's origin is none of the product's."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from bff.common.origins import PLAIN, origin_fault

APPLY: Final = "then run: hitchpost products apply FILE"


def origin_advice(key: str, origins: Collection[str], origin: str) -> str | None:
    """Why a page at ``origin`` is refused, and the line that mends it; None for a registered origin.

    Nothing is told of the registered origins but whether one has the page's own host: whoever asks could find
    that out by asking for one origin after the other.
    """
    if origin in origins:
        return None
    said = origin or "(none)"
    return f"origin {said} is not registered for product {key}{_near(origins, origin)}: {_mend(key, origin)}"


def _mend(key: str, origin: str) -> str:
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


def _near(origins: Collection[str], origin: str) -> str:
    if origin_fault(origin) not in {None, PLAIN}:
        return ""
    asked = urlsplit(origin)
    same_host = [found for each in origins if (found := urlsplit(each)).hostname == asked.hostname]
    if not same_host:
        return ""
    if any(found.port == asked.port for found in same_host):
        return f" ({asked.hostname} is, with another scheme than {asked.scheme})"
    port = f"port {asked.port}" if asked.port else "none"
    return f" ({asked.hostname} is, with another port than {port})"
