"""Uploaded images in the database, each stored once under the hash of its bytes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, Select, func, insert, select, union_all, update
from sqlalchemy.exc import IntegrityError

from bff.content.logos.logo import FaultyImage, Logo
from bff.serving.database import writing
from bff.storage.tables import content_versions, drafts, images, products

UNREFERENCED_KEPT: Final = timedelta(days=1)
"""How long an unreferenced image is stored: an upload may not be in the draft yet."""
LOGOS: Final = ("look/logo", "look/logo_dark")


class DatabaseImages:
    """Implements ``ImageStore``."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._clock = clock

    def get(self, name: str) -> Logo | None:
        """The image with this name. None if there is none."""
        with self._engine.connect() as connection:
            row = connection.execute(select(images).where(images.c.name == name)).one_or_none()
        return Logo(row.name, row.media_type, row.data) if row else None

    def put(self, logo: Logo, product: str, most: int | None = None) -> None:
        """Store a checked image. Raises ``FaultyImage`` if the product has ``most`` images already."""
        with suppress(IntegrityError):  # Another process has stored the same image meanwhile.
            self._put(logo, product, most)

    def _put(self, logo: Logo, product: str, most: int | None) -> None:
        table, now = images.c, self._clock()
        with self._writer.begin() as connection:
            # A repeated upload renews the time, so that it is not purged before the draft names it.
            renewed = update(images).where(table.name == logo.name).values(at=now)
            if connection.execute(renewed).rowcount > 0:
                return
            count = select(func.count()).select_from(images).where(table.product_key == product)
            if most is not None and connection.execute(count).scalar_one() >= most:
                raise FaultyImage(
                    f"there are {most} images already; those that nothing names go after a day,"
                    " so put this one up tomorrow"
                )
            row = {"name": logo.name, "media_type": logo.media_type, "data": logo.data}
            connection.execute(insert(images).values(**row, at=now, product_key=product))


def is_unreferenced() -> ColumnElement[bool]:
    """Condition on ``images``: neither a draft nor a published version nor a product file names it."""
    contents = (drafts.c.content, content_versions.c.content, products.c.file_content)
    named: list[Select[Any]] = []
    for content in contents:
        for logo in LOGOS:
            name = content[logo].as_string()
            named.append(select(name).where(name.is_not(None)))
    return images.c.name.not_in(union_all(*named))
