"""What every step of a click needs, whatever else it is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Surroundings:
    """The time (UTC), unguessable tokens, and base URLs: of the BFF, and of the partner service's pages."""

    clock: Callable[[], datetime]
    random_token: Callable[[], str]
    public_url: str
    partner_service_url: str
