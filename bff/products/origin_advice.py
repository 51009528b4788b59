"""What to write into the product file where a page's origin is none of the product's."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from bff.common.origins import origin_fault

APPLY: Final = "then run: hitchpost products apply FILE"


def origin_advice(key: str, origins: Collection[str], origin: str) -> str | None:
    """Why a page at ``origin`` is refused, and the line that mends it; None for a registered origin.

    Nothing is told of the registered origins but whether one has the page's own host: whoever asks could find
    that out by asking for one origin after the other.
    """
    if origin in origins:
        return None
    if origin == "null":
        return "this page has no origin: give its sandboxed frame allow-same-origin, or serve it over http(s)"
    if origin_fault(origin) == "use https; plain http is for loopback hosts only":
        return f"{origin} is no secure origin: open this page over https, and register that address"
    if fault := origin_fault(origin):
        return f"{origin[:100]!r} is no origin: {fault}"
    return f"{origin} is not registered for product {key}{_near(origins, origin)}: {_mend(key, origin)}"


def _mend(key: str, origin: str) -> str:
    return f'add "{origin}" to the origins of the product "{key}" in the product file, {APPLY}'


def _near(origins: Collection[str], origin: str) -> str:
    asked = urlsplit(origin)
    same_host = [found for each in origins if (found := urlsplit(each)).hostname == asked.hostname]
    if not same_host:
        return ""
    if any(found.port == asked.port for found in same_host):
        return f" ({asked.hostname} is, with another scheme than {asked.scheme})"
    port = f"port {asked.port}" if asked.port else "none"
    return f" ({asked.hostname} is, with another port than {port})"
