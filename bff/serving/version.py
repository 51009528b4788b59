"""The version of the installed package."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def own_version() -> str:
    """The installed package's version; ``0+unknown`` if the sources run without installation."""
    try:
        return version("hitchpost")
    except PackageNotFoundError:
        return "0+unknown"
