"""Checks that the signing keys are those that the stored webhook secrets were sealed with."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import Engine, not_, or_, select
from sqlalchemy.exc import SQLAlchemyError

from bff.common.faulty_file import FaultyFile
from bff.products.file import read_products
from bff.serving.database import open_database
from bff.serving.sqlite_file import missing_file
from bff.settings import Settings
from bff.storage.sealing import Sealing
from bff.storage.tables import webhook_endpoints

SETTING: Final = "HITCHPOST_SECRET_KEYS"


def foreign_keys(engine: Engine, sealing: Sealing, applied: Collection[str] = ()) -> list[str]:
    """A line for each product whose webhook secrets are sealed with a key that is missing.

    ``applied``: keys of products whose secrets a start seals anew. A sealed value names its key, so none is
    decrypted: one that was tampered with prevents no start. Raises ``SQLAlchemyError``.
    """
    table = webhook_endpoints.c
    configured = or_(*(table.sealed.startswith(f"{key}.", autoescape=True) for key in sealing.key_ids))
    wanted = table.removed_at.is_(None) & not_(configured) & table.product.not_in(applied)
    with engine.connect() as connection:
        products = connection.execute(select(table.product).where(wanted).distinct()).scalars().all()
    return [
        f"{SETTING}: webhook secrets of product {product!r} are sealed with a key which is not here; put it"
        " back behind the new one, or seal them anew: hitchpost products apply FILE"
        for product in sorted(products)
    ]


def stored_foreign_keys(settings: Settings) -> list[str]:
    """The same before a start. Empty if the database cannot be read, or is not there.

    Other checks report those.
    """
    if missing_file(settings.database_url) is not None:
        return []
    try:
        applied = read_products(settings.products) if settings.products else []
    except FaultyFile:
        applied = []  # A start cannot apply it.
    engine = open_database(settings.database_url)
    try:
        keys = [product.registration.key for product in applied]
        return foreign_keys(engine, Sealing(settings.signing_keys()), keys)
    except SQLAlchemyError:
        return []
    finally:
        engine.dispose()
