"""Creates invite links for commands, which have no request or app."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from sqlalchemy import Engine

from bff.studio.access import Role
from bff.studio.store import DatabaseStudio


def studio_store(engine: Engine) -> DatabaseStudio:
    """The Studio's store, with the real clock and random tokens."""
    return DatabaseStudio(engine, lambda: datetime.now(UTC), lambda: secrets.token_urlsafe(32))


def make_link(engine: Engine, base: str, product: str, email: str, role: Role) -> str:
    """Create an invite and return its link. Raises ``NotFound`` if there is no such product."""
    return f"{base}/studio/enter/{studio_store(engine).invite(product, email, role).reveal()}"
