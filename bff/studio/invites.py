"""Creates invite links for commands, which have no request or app."""

from __future__ import annotations

import secrets

from sqlalchemy import Engine

from bff.serving.store_clock import StoreClock
from bff.studio.access import Role
from bff.studio.store import DatabaseStudio


def studio_store(engine: Engine) -> DatabaseStudio:
    """The Studio's store, with the database's clock and random tokens."""
    return DatabaseStudio(engine, StoreClock(engine), lambda: secrets.token_urlsafe(32))


def make_link(engine: Engine, base: str, product: str, email: str, role: Role) -> str:
    """Create an invite and return its link. Raises ``NotFound`` if there is no such product."""
    return f"{base}/studio/enter/{studio_store(engine).invite(product, email, role).reveal()}"
