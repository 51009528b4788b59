"""The BFF's database schema, as ``bff.serving.database`` checks and upgrades it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bff.serving.database import Schema

MIGRATIONS: Final = Path(__file__).parent / "migrations"
SCHEMA: Final = Schema(
    MIGRATIONS,
    lock=0x68697463,
    mark="attempts",
    setting="HITCHPOST_DATABASE_URL",
    upgrade_by="hitchpost db upgrade",
)
