"""The collaborators of the routes, created by ``app.py``."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import current_app

from bff.partner.crypto import Vault
from bff.partner.limits import Limits
from bff.partner.providers.catalogue import Catalogue
from bff.partner.providers.provider import Provider
from bff.partner.settings import Settings
from bff.partner.storage.database import Database
from bff.serving.shared_waits import SharedWaits

EXTENSION = "hitchpost-embedded"


@dataclass(frozen=True)
class Embedded:
    """The collaborators of an embedded partner service."""

    settings: Settings
    database: Database
    limits: Limits
    vault: Vault
    catalogue: Catalogue
    provider: Provider
    refreshes: SharedWaits = field(default_factory=SharedWaits)
    """Callers who wait for a refresh of an account connector, by its id."""


def embedded() -> Embedded:
    """The service of the current Flask application."""
    service = current_app.extensions[EXTENSION]
    assert isinstance(service, Embedded)  # noqa: S101  # for the type checker
    return service
