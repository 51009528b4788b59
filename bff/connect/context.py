"""The clock, the random tokens and the URLs that all operations on attempts share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ConnectContext:
    """``clock`` gives the time (UTC), ``random_token`` an unguessable token.

    ``public_url`` is the BFF's base URL, ``partner_service_url`` that of the partner service's pages.
    """

    clock: Callable[[], datetime]
    random_token: Callable[[], str]
    public_url: str
    partner_service_url: str
