"""The sandbox's variants: kinds of third-party behaviour, each under its own path prefix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Variant:
    """A kind of third-party behaviour, such as slow or broken."""

    key: str
    name: str
    path: str | None = None

    @property
    def prefix(self) -> str:
        """The path prefix of its endpoints."""
        if self.path is not None:
            return self.path
        return f"/{self.key}" if self.key else ""


VARIANTS: Final = (
    Variant("", "Sandbox CRM"),
    Variant("isolated", "Isolated CRM"),
    Variant("slow", "Slow CRM"),
    Variant("broken", "Broken CRM"),
    Variant("silent", "Silent CRM"),
    Variant("stranger", "Stranger CRM"),
    Variant("hop", "Hop CRM"),
    Variant("garbled", "Garbled CRM"),
    Variant("shop-north", "Shop north", "/shops/north"),
    Variant("shop-south", "Shop south", "/shops/south"),
)
