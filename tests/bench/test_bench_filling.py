"""What the bench puts into a database is what the product would have there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, func, inspect, select
from sqlalchemy.exc import IntegrityError

from bench.filling import add_due, fill
from bff.connect.attempt import Status
from bff.connect.store import DatabaseAttempts
from bff.purge import DatabasePurger
from bff.serving.database import open_database, writing
from bff.storage.schema import SCHEMA
from bff.storage.tables import attempt_steps, attempts, metadata
from tests.support.databases import DatabaseUrl

ROWS = 3000
RETENTION = timedelta(days=90)


@pytest.fixture
def full(tmp_path: Path, database_url: DatabaseUrl) -> Engine:
    """A filled database."""
    engine = open_database(database_url(tmp_path, "bff"))
    SCHEMA.upgrade(engine)
    fill(engine, ROWS, ready=datetime.now(UTC))
    return engine


def indexes(engine: Engine) -> set[tuple[str | None, ...]]:
    """Every index and key of attempts and steps, by name, columns and uniqueness."""
    found, told = inspect(engine), set[tuple[str | None, ...]]()
    for table in ("attempts", "attempt_steps"):
        told |= {
            (each["name"], *each["column_names"], str(bool(each["unique"])))
            for each in found.get_indexes(table)
        }
        keys = [*found.get_unique_constraints(table), *found.get_foreign_keys(table)]
        told |= {(each["name"], str(each.get("column_names"))) for each in keys}
        primary = found.get_pk_constraint(table)
        told.add((primary["name"], *primary["constrained_columns"]))
    return told


def test_a_filled_database_has_the_product_s_schema(
    full: Engine, tmp_path: Path, database_url: DatabaseUrl
) -> None:
    """Every index is there again, and guards: a second attempt of the same launch token is refused."""
    untouched = open_database(database_url(tmp_path, "untouched"))
    SCHEMA.upgrade(untouched)
    assert indexes(full) == indexes(untouched)
    with full.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        row = dict(zip(attempts.c.keys(), connection.execute(select(attempts).limit(1)).one(), strict=True))
    with pytest.raises(IntegrityError), writing(full).begin() as connection:
        connection.execute(attempts.insert().values(row | {"id": "att_other"}))


def test_a_filled_database_holds_attempts(full: Engine) -> None:
    """As many as were wanted, each with keys of its own; the product reads them; some have a story."""
    with full.connect() as connection:
        for column in (attempts.c.id, attempts.c.launch_token_sha256):
            assert connection.execute(select(func.count(column.distinct()))).scalar_one() == ROWS
        assert connection.execute(select(func.count()).select_from(attempt_steps)).scalar_one() > ROWS / 20
        some = connection.execute(select(attempts.c.id).limit(50)).scalars().all()
    found = [DatabaseAttempts(full).get(each) for each in some]
    assert {each.status for each in found if each} == {Status.CREATED, Status.CONNECTED}


def test_only_what_is_added_as_due_is_purged(full: Engine) -> None:
    """The filling itself leaves nothing to do."""
    purge, now = DatabasePurger(full, RETENTION), datetime.now(UTC)
    assert set(purge.delete_old(now, ROWS).values()) == {0}
    add_due(full, 200, now=now)
    assert purge.delete_old(now, ROWS)["unlaunched attempts"] == 200
    assert set(purge.delete_old(now, ROWS).values()) == {0}
