"""A start looks where the schema stands, and changes it only when it is behind."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

import bff.partner.storage.database
import bff.storage.schema
from bff.serving.database import Schema, open_database
from tests.support.databases import DatabaseUrl

BOTH = pytest.mark.parametrize(
    ("schema", "migrations"),
    [
        pytest.param(bff.storage.schema.SCHEMA, bff.storage.schema.MIGRATIONS, id="bff"),
        pytest.param(
            bff.partner.storage.database.SCHEMA, bff.partner.storage.database.MIGRATIONS, id="partner"
        ),
    ],
)


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
def test_the_names_of_the_migrations_tell_their_order(schema: Schema, migrations: Path) -> None:
    """Sorted, they are alembic's own chain, from the first to its one head."""
    chain = ScriptDirectory.from_config(config_of(migrations)).walk_revisions()
    assert schema.revisions == [script.revision for script in chain][::-1]


@BOTH
def test_a_schema_that_is_behind_is_upgraded(
    tmp_path: Path, database_url: DatabaseUrl, schema: Schema, migrations: Path
) -> None:
    """From every migration before the newest, and from an empty database."""
    engine = open_database(database_url(tmp_path, "one"))
    config = config_of(migrations)
    assert schema.fault(engine) == "schema"
    schema.upgrade(engine)
    for older in [*schema.revisions[-2::-1], "base"]:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, older)
        with one_like(engine, tmp_path / f"{older}.db") as behind:
            assert schema.fault(behind) == "schema"
            schema.upgrade(behind)
            assert schema.fault(behind) is None
            assert stands_at(behind) == schema.revisions[-1:]
    engine.dispose()


@contextlib.contextmanager
def one_like(engine: Engine, path: Path) -> Iterator[Engine]:
    """A copy of the database in ``path``, so that the next one is one step down.

    Of PostgreSQL it is the database itself: a copy there costs more than the steps.
    """
    if engine.dialect.name != "sqlite":
        yield engine
        return
    with contextlib.closing(sqlite3.connect(str(engine.url.database))) as connection:
        connection.execute(f"VACUUM INTO '{path}'")
    copy = open_database(f"sqlite:///{path}")
    try:
        yield copy
    finally:
        copy.dispose()


@BOTH
def test_the_schema_of_a_newer_program_serves(
    tmp_path: Path, database_url: DatabaseUrl, schema: Schema, migrations: Path
) -> None:
    """A worker of this one that starts while a newer one is rolled out leaves the schema as it is."""
    engine = open_database(database_url(tmp_path, "one"))
    schema.upgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    schema.upgrade(engine)
    assert schema.fault(engine) is None
    assert stands_at(engine) == ["9999"]
    engine.dispose()


@BOTH
def test_a_database_that_does_not_answer_is_told_apart(
    tmp_path: Path, schema: Schema, migrations: Path
) -> None:
    """From one whose schema is behind."""
    assert schema.look_at(f"sqlite:///{tmp_path / 'none.db'}")[0] == []
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "other.db").write_text("this is no database, however long one looks at it" * 20)
    (told,) = schema.look_at(f"sqlite:///{tmp_path / 'other.db'}")[0]
    assert "does not answer" in told
