"""The images that product teams put up, in the database: each once, by the hash of what it holds."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine, insert, select

from bff.adapters.tables import images
from bff.core.images import Logo
from bff.serving.database import writing


class DatabaseImages:
    """Implements ``ImageStore``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = writing(engine)

    def get(self, name: str) -> Logo | None:
        """The image of this name."""
        with self._engine.connect() as connection:
            row = connection.execute(select(images).where(images.c.name == name)).one_or_none()
        return Logo(row.name, row.media_type, row.data) if row else None

    def put(self, logo: Logo) -> None:
        """Keep an image that was checked; one that is there already stays."""
        row = {"name": logo.name, "media_type": logo.media_type, "data": logo.data, "at": datetime.now(UTC)}
        with self._writer.begin() as connection:
            if connection.execute(select(images.c.name).where(images.c.name == logo.name)).first() is None:
                connection.execute(insert(images).values(row))
