"""Secret keys that belong to another product in the database: a key says which product calls."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from bff.common.faulty_file import FaultyFile
from bff.common.secret import fingerprint
from bff.products.file import AppliedProduct, read_products
from bff.serving.database import open_database
from bff.serving.sqlite_file import missing_file
from bff.storage.tables import secret_keys


def conflicts(connection: Connection, applied: Sequence[AppliedProduct]) -> list[str]:
    """A line for each product with a secret key of a stored product that is none of ``applied``."""
    ours = {product.registration.key for product in applied}
    wanted = {
        fingerprint(secret.reveal()): product.registration.key
        for product in applied
        for secret in product.secret_keys
    }
    held = select(secret_keys.c.sha256, secret_keys.c.product_key).where(
        secret_keys.c.sha256.in_(list(wanted)), secret_keys.c.product_key.not_in(ours)
    )
    found = {(wanted[row.sha256], row.product_key) for row in connection.execute(held)}
    return [
        f"{key}: secret_keys: product {other!r} in the database has one of these keys; make another key, or,"
        f" if {other!r} is not used any more, run: hitchpost products remove {other}"
        for key, other in sorted(found)
    ]


def stored_conflicts(path: Path | None, url: str) -> list[str]:
    """The same for the products of a file. Empty if the file or the database cannot be read, or is not there.

    Other checks report those.
    """
    if path is None or missing_file(url) is not None:
        return []
    try:
        applied = read_products(path)
        engine = open_database(url)
        try:
            with engine.connect() as connection:
                return [f"{path}: {fault}" for fault in conflicts(connection, applied)]
        finally:
            engine.dispose()
    except (FaultyFile, SQLAlchemyError):
        return []
