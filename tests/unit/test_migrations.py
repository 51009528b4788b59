"""The migrations and the tables say the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, create_engine, inspect

import bff.adapters.database
import bff.partner.database
from bff.adapters import tables
from bff.partner import tables as partner_tables
from bff.serving.database import open_database
from tests.support.databases import DatabaseUrl

Open = Callable[[str], Engine]


def open_bff(url: str) -> Engine:
    """The BFF's database, brought up to date twice."""
    engine = open_database(url)
    bff.adapters.database.SCHEMA.upgrade(engine)
    bff.adapters.database.SCHEMA.upgrade(engine)
    return engine


def open_partner(url: str) -> Engine:
    """The embedded service's database, brought up to date twice."""
    bff.partner.database.Database(url)
    bff.partner.database.Database(url)
    return create_engine(url)


BOTH = [
    pytest.param(open_bff, tables.metadata, bff.adapters.database.MIGRATIONS, id="bff"),
    pytest.param(open_partner, partner_tables.metadata, bff.partner.database.MIGRATIONS, id="partner"),
]


def drift(engine: Engine, metadata: MetaData) -> list[object]:
    """What differs between the database and the tables."""
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


@pytest.mark.parametrize(("open_database", "metadata", "_migrations"), BOTH)
def test_the_migrations_make_the_tables(
    tmp_path: Path, database_url: DatabaseUrl, open_database: Open, metadata: MetaData, _migrations: Path
) -> None:
    """A database brought up to date differs from the tables in nothing; a second time changes nothing."""
    engine = open_database(database_url(tmp_path, "one"))
    assert drift(engine, metadata) == []
    engine.dispose()


@pytest.mark.parametrize(("open_database", "metadata", "migrations"), BOTH)
def test_the_migrations_go_down_and_up_again(
    tmp_path: Path, database_url: DatabaseUrl, open_database: Open, metadata: MetaData, migrations: Path
) -> None:
    """All the way down leaves no table behind, and up again makes the same as before."""
    engine = open_database(database_url(tmp_path, "one"))
    config = Config()
    config.set_main_option("script_location", str(migrations))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    assert drift(engine, metadata) == []
    engine.dispose()
