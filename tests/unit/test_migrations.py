"""The migrations and the tables say the same."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bff.adapters.database import open_database, upgrade
from bff.adapters.tables import metadata


def test_the_migrations_make_the_tables(tmp_path: Path) -> None:
    """A database brought up to date differs from the tables in nothing; a second time changes nothing."""
    engine = open_database(f"sqlite:///{tmp_path}/bff.db")
    upgrade(engine)
    upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
