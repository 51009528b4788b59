"""SQLite's log is copied into the database beside the requests, and does not grow without end."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from structlog.testing import capture_logs

from bff.serving import checkpoints
from bff.serving.checkpoints import Checkpoints
from bff.serving.database import open_database, writing
from tests.support.waiting import wait_for

PAGE = 4096


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "some.db"


@pytest.fixture
def engine(file: Path) -> Iterator[Engine]:
    """A database with a table."""
    with closing(sqlite3.connect(file)) as first:
        first.execute("CREATE TABLE note (said TEXT)")
    engine = open_database(f"sqlite:///{file}")
    yield engine
    engine.dispose()


@pytest.fixture
def running(engine: Engine) -> Iterator[Callable[..., Checkpoints]]:
    """Starts checkpoints, which are stopped at the end."""
    started: list[Checkpoints] = []

    def start(kind: type[Checkpoints] = Checkpoints, **options: Any) -> Checkpoints:
        started.append(kind(engine, **{"every": 0.01, **options}))
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        one.stop()
        one.join()


def note(engine: Engine, said: str = "hello") -> None:
    """One transaction that writes."""
    with writing(engine).begin() as connection:
        connection.execute(text("INSERT INTO note VALUES (:said)"), {"said": said})


def in_the_file(file: Path) -> int:
    """How many notes the database file has without its log."""
    with closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as alone:
        count: int = alone.execute("SELECT count(*) FROM note").fetchone()[0]
        return count


def test_what_was_committed_gets_into_the_file_by_itself(
    engine: Engine, file: Path, running: Callable[..., Checkpoints]
) -> None:
    """Although nobody commits again, and no connection is closed."""
    with engine.connect():  # The last one to be closed would copy the log as well.
        note(engine)
        assert in_the_file(file) == 0
        running()
        wait_for(lambda: in_the_file(file) == 1)


def test_nobody_who_commits_makes_one(
    engine: Engine, file: Path, running: Callable[..., Checkpoints]
) -> None:
    """Not even with a connection that was there before, after so much that SQLite would by itself."""
    with engine.connect() as before:
        before.rollback()
    running(every=3600)
    wait_for(lambda: event.contains(engine, "checkout", checkpoints._leave_it_to_us))
    with engine.connect():
        for _ in range(3):
            note(engine, "x" * 1000 * PAGE)  # a thousand pages
        assert in_the_file(file) == 0


def test_the_log_begins_anew_although_somebody_always_writes(
    engine: Engine, file: Path, running: Callable[..., Checkpoints]
) -> None:
    """Of thousands of transactions at the same time the log keeps some hundreds."""
    running(long_pages=100)
    written = 6000

    def many(_: int) -> None:
        for _ in range(written // 3):
            note(engine, "x" * 500)

    with ThreadPoolExecutor(3) as writers:
        list(writers.map(many, range(3)))
    # Each transaction adds a page of its own at least.
    assert Path(f"{file}-wal").stat().st_size < written * PAGE / 4


def test_a_checkpoint_that_fails_is_told_and_tried_again(
    engine: Engine, file: Path, running: Callable[..., Checkpoints]
) -> None:
    """The next one finds what this one left."""

    class Failing(Checkpoints):
        failures = 0

        def _copy(self) -> int:
            if self.failures < 2:
                self.failures += 1
                raise sqlite3.OperationalError("disk I/O error")
            return super()._copy()

    with engine.connect(), capture_logs() as told:
        note(engine)
        running(Failing)
        wait_for(lambda: in_the_file(file) == 1)
    assert [entry["event"] for entry in told].count("checkpoint failed") == 2
