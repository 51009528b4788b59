"""Builds the services for a command that works on a database, without applying the product file to it."""

from __future__ import annotations

from bff.settings import database_url, load_settings
from bff.storage.schema import SCHEMA
from bff.web.kit.services import Services
from bff.wiring import build_services


def stored_services() -> Services:
    """The services over an existing database, whose products are those that were applied last.

    The product file takes effect by ``products apply``, a start or a reload only: an operator may be editing
    it while a command lists something. Creates no SQLite file. Raises ``FaultySettings`` and
    ``UnusableDatabase``.
    """
    settings = load_settings(products=None)
    SCHEMA.open(database_url()).dispose()
    return build_services(settings)
