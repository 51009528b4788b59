"""A start looks where the schema stands, and changes it only when it is behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

import bff.partner.storage.database
import bff.storage.schema
from bff.serving.database import open_database
from tests.support.databases import SCHEMAS, DatabaseUrl

BOTH = pytest.mark.parametrize(
    ("name", "migrations"),
    [
        pytest.param("bff", bff.storage.schema.MIGRATIONS, id="bff"),
        pytest.param("partner", bff.partner.storage.database.MIGRATIONS, id="partner"),
    ],
)
"""Whose schema it is: a database of such a name is up to date."""


def config_of(migrations: Path) -> Config:
    """What alembic itself is told."""
    config = Config()
    config.set_main_option("script_location", str(migrations))
    return config


def stands_at(engine: Engine) -> list[str]:
    """What the database says of itself."""
    with engine.connect() as connection:
        return list(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars())


@BOTH
def test_the_names_of_the_migrations_tell_their_order(name: str, migrations: Path) -> None:
    """Sorted, they are alembic's own chain, from the first to its one head."""
    chain = ScriptDirectory.from_config(config_of(migrations)).walk_revisions()
    assert SCHEMAS[name].revisions == [script.revision for script in chain][::-1]


@BOTH
def test_a_schema_that_is_behind_is_upgraded(
    tmp_path: Path, database_url: DatabaseUrl, name: str, migrations: Path
) -> None:
    """By one migration, and from an empty database; one that stands at the newest is left alone."""
    schema, config = SCHEMAS[name], config_of(migrations)
    newest, empty = (open_database(database_url(tmp_path, which)) for which in (name, "empty"))
    assert schema.fault(newest) is None
    with newest.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, schema.revisions[-2])
    for engine in (newest, empty):
        assert schema.fault(engine) == "schema"
        schema.upgrade(engine)
        assert schema.fault(engine) is None
        assert stands_at(engine) == schema.revisions[-1:]
        engine.dispose()


@BOTH
def test_the_schema_of_a_newer_program_serves(
    tmp_path: Path, database_url: DatabaseUrl, name: str, migrations: Path
) -> None:
    """A worker of this one that starts while a newer one is rolled out leaves the schema as it is."""
    engine, schema = open_database(database_url(tmp_path, name)), SCHEMAS[name]
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    schema.upgrade(engine)
    assert schema.fault(engine) is None
    assert stands_at(engine) == ["9999"]
    engine.dispose()


@BOTH
def test_a_database_that_does_not_answer_is_told_apart(tmp_path: Path, name: str, migrations: Path) -> None:
    """From one whose schema is behind."""
    schema = SCHEMAS[name]
    assert schema.look_at(f"sqlite:///{tmp_path / 'none.db'}")[0] == []
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "other.db").write_text("this is no database, however long one looks at it" * 20)
    (told,) = schema.look_at(f"sqlite:///{tmp_path / 'other.db'}")[0]
    assert "does not answer" in told
