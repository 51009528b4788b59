"""How a database is opened, whoever opens it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import pytest
import structlog
from sqlalchemy import Engine, QueuePool, text
from sqlalchemy.exc import IntegrityError

from bff.partner.storage.database import SCHEMA as PARTNER_SCHEMA
from bff.partner.storage.database import Database
from bff.serving.checkpoints import Checkpoints
from bff.serving.database import MOST_CONNECTIONS, Schema, open_database, writing
from bff.storage.schema import SCHEMA

NORMAL = 1


@pytest.fixture(params=["the BFF's", "the embedded service's"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database in a file, as each program opens it."""
    url = f"sqlite:///{tmp_path / 'some.db'}"
    engine = open_database(url) if request.param == "the BFF's" else Database(url).engine
    yield engine
    engine.dispose()


@pytest.mark.parametrize("schema", [SCHEMA, PARTNER_SCHEMA], ids=["the BFF", "the embedded service"])
def test_a_start_that_makes_a_database_says_where(schema: Schema, tmp_path: Path) -> None:
    """Its URL may be misspelt. A start on one that is there says nothing."""
    engine = open_database(f"sqlite:///{tmp_path}/new.db")
    with structlog.testing.capture_logs() as logs:
        schema.start(engine)
        schema.start(engine)
    engine.dispose()
    assert [(line["event"], line["what"]) for line in logs] == [("made a new database", f"{tmp_path}/new.db")]
    assert "DATABASE_URL" in logs[0]["advice"]


def test_what_is_committed_survives_the_program_and_a_consistent_file_the_machine(engine: Engine) -> None:
    """Every connection writes ahead, and synchronizes the log before it is copied: NORMAL, never OFF.

    Also while a thread of ours makes the checkpoints, and with as many connections as there may be at once.
    """
    resting = Checkpoints(engine, every=3600)
    resting.start()
    with ExitStack() as held:
        for _ in range(MOST_CONNECTIONS):
            connection = held.enter_context(engine.connect())
            said = [connection.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous")]
            assert said == ["wal", NORMAL]
    resting.stop()
    resting.join()


def test_no_row_is_of_something_that_is_not_there(engine: Engine) -> None:
    """Foreign keys hold on every connection: SQLite would ignore them by itself."""
    with writing(engine).begin() as connection:
        connection.execute(text("CREATE TABLE whole (id INTEGER PRIMARY KEY)"))
        connection.execute(text("CREATE TABLE part (of INTEGER REFERENCES whole (id))"))
    with pytest.raises(IntegrityError), writing(engine).begin() as connection:
        connection.execute(text("INSERT INTO part VALUES (7)"))


def test_a_forked_process_opens_connections_of_its_own(engine: Engine) -> None:
    """Two processes on one connection read each other's answers; the parent's stays open for the parent."""
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    kept = cast(QueuePool, engine.pool).checkedin()
    child = os.fork()
    if not child:
        os._exit(cast(QueuePool, engine.pool).checkedin())
    in_child = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert (kept, in_child, cast(QueuePool, engine.pool).checkedin()) == (1, 0, 1)
