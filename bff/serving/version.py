"""Which build this is."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def own_version() -> str:
    """The installed package's version; ``0+unknown`` where the sources run without being installed."""
    try:
        return version("hitchpost")
    except PackageNotFoundError:
        return "0+unknown"
