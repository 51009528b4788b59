"""What the routes work with, put together once by ``app.py``."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from bff.partner.crypto import Vault
from bff.partner.limits import Limits
from bff.partner.providers.catalogue import Catalogue
from bff.partner.providers.provider import Provider
from bff.partner.settings import Settings
from bff.partner.storage.database import Database

EXTENSION = "hitchpost-embedded"


@dataclass(frozen=True)
class Embedded:
    """One embedded partner service."""

    settings: Settings
    database: Database
    limits: Limits
    vault: Vault
    catalogue: Catalogue
    provider: Provider


def embedded() -> Embedded:
    """The service that handles this request."""
    found = current_app.extensions[EXTENSION]
    assert isinstance(found, Embedded)  # nosec B101  # for the type checker
    return found
