"""Asks third parties whether access tokens that cannot be renewed are still valid."""

from __future__ import annotations

from typing import Final

from bff.partner.context import Embedded
from bff.partner.providers import dead_credentials
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Credentials

TRIES: Final = 2
"""Requests per check. The token counts as dead only if all responses say so."""


def has_expired(service: Embedded, stored: Credentials) -> bool:
    """Whether an access token has expired, also if the present clock has jumped ahead."""
    return stored.expires_at is not None and service.database.clock.has_passed(stored.expires_at)


def is_alive(service: Embedded, item: CatalogueConnector | None, stored: Credentials) -> bool:
    """False if the user-info endpoint says twice that the access token is no longer valid.

    By status 401, or by an error that says so with another status (Slack: 200, Facebook: 400). True also if
    the entry has no such endpoint.
    """
    if item is None or item.userinfo_url is None:
        return True
    answers = (service.provider.user_info(item, stored)[1] for _ in range(TRIES))
    return not all(answer is not None and dead_credentials.is_dead(item, answer) for answer in answers)
