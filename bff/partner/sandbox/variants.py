"""The ways in which a third party may behave, each below a path of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Variant:
    """One way in which a third party may behave."""

    key: str
    name: str
    path: str | None = None

    @property
    def prefix(self) -> str:
        """The path that its endpoints lie below."""
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
