"""What the driver does by itself, it does as SQLAlchemy would: the same values, and the same errors."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, bindparam, event, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from bff.serving.database import open_database, writing
from bff.serving.statements import Change, Read, Within
from bff.storage.schema import SCHEMA
from bff.storage.tables import attempts
from tests.support.databases import DatabaseUrl, sqlite_url

BY_ID = select(attempts).where(attempts.c.id == bindparam("wanted"))


@pytest.fixture
def engine(tmp_path: Path, database_url: DatabaseUrl) -> Iterator[Engine]:
    """A database with the product's tables."""
    found = open_database(database_url(tmp_path, "bff"))
    SCHEMA.upgrade(found)
    yield found
    found.dispose()


def add(engine: Engine, **values: Any) -> str:
    """An attempt with a value in every column; its id."""
    attempt_id, now = "att_" + secrets.token_hex(8), datetime(2030, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    row = {column.key: of_kind(column.type.python_type, now) for column in attempts.columns}
    row |= {"id": attempt_id, "launch_token_sha256": attempt_id, "support_code": "AAAA-2222"} | values
    with engine.begin() as connection:
        connection.execute(insert(attempts).values(row))
    return attempt_id


def of_kind(kind: type, now: datetime) -> Any:
    """A value that is not empty."""
    return {str: secrets.token_hex(4), int: 7, bool: True, object: now + timedelta(seconds=1)}[kind]


def by_sqlalchemy(engine: Engine, attempt_id: str) -> tuple[Any, ...] | None:
    """What the slower way finds."""
    with engine.connect() as connection:
        found = connection.execute(BY_ID, {"wanted": attempt_id}).one_or_none()
    return tuple(found) if found else None


def test_it_finds_the_same_values(engine: Engine) -> None:
    """Times with their zone, truths as truths, and nothing where nothing is."""
    full = add(engine)
    empty = add(engine, **{column.key: None for column in attempts.columns if column.nullable})
    read = Read(engine, BY_ID)
    for attempt_id in (full, empty):
        found = read.one(wanted=attempt_id)
        assert found == by_sqlalchemy(engine, attempt_id)
        assert found is not None
        assert [type(value) for value in found] == [
            type(value) for value in by_sqlalchemy(engine, attempt_id) or ()
        ]


def test_it_finds_nothing_where_nothing_is(engine: Engine) -> None:
    """Whatever text is asked for; it is never part of the statement."""
    add(engine)
    read = Read(engine, BY_ID)
    for text_ in ("att_none", "", "' OR '1'='1", "%s", ":wanted", "?"):
        assert read.one(wanted=text_) is None


def test_it_sees_what_was_written_a_moment_ago(engine: Engine) -> None:
    """It holds no old view of the database, in any thread."""
    read = Read(engine, BY_ID)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            attempt_id = add(engine)
            assert all(pool.map(lambda _, wanted=attempt_id: read.one(wanted=wanted), range(4)))


def test_its_connections_go_back(engine: Engine) -> None:
    """However often it reads, and also when it fails."""
    attempt_id, read = add(engine), Read(engine, BY_ID)
    for _ in range(50):
        read.one(wanted=attempt_id)
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE attempt_steps"))
        connection.execute(text("DROP TABLE attempts"))
    with pytest.raises(SQLAlchemyError):
        read.one(wanted=attempt_id)
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_a_connection_that_was_cut_is_not_noticed(postgresql_url: str) -> None:
    """The server ended every connection: the next read has a new one."""
    engine, other = open_database(postgresql_url), open_database(postgresql_url)
    SCHEMA.upgrade(engine)
    attempt_id, read = add(engine), Read(engine, BY_ID)
    assert read.one(wanted=attempt_id)
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with other.begin() as connection:
        assert connection.execute(text(f"SELECT pg_terminate_backend(pid) {others}")).all()
    assert read.one(wanted=attempt_id)
    engine.dispose()
    other.dispose()


def counting(engine: Engine) -> Change:
    """Counts one check more of an attempt that has had fewer than ``most``."""
    table = attempts.c
    few = update(attempts).where(table.id == bindparam("wanted"), table.polls < bindparam("most"))
    return Change(
        engine,
        few.values(polls=table.polls + 1, hinted_at=bindparam("now"), polled_at=None).returning(
            table.polls, table.hinted_at, table.polled_at
        ),
    )


NOW = datetime(2031, 5, 6, 7, 8, 9, 10, tzinfo=UTC)


def test_a_change_is_made_and_told(engine: Engine) -> None:
    """With its types' own conversions both ways; what was not to be changed is not, and nothing is told."""
    attempt_id, count = add(engine), counting(engine)
    asked = {"wanted": attempt_id, "most": 8, "now": NOW.astimezone(timezone(timedelta(hours=5)))}
    assert count.make(asked) == (8, NOW, None)
    assert count.make(asked) is None
    assert count.make(asked | {"wanted": "att_none"}) is None
    place = list(attempts.c.keys()).index("polls")
    assert (by_sqlalchemy(engine, attempt_id) or ())[place] == 8


def test_of_many_changes_at_once_each_is_made(engine: Engine) -> None:
    """One after the other, and every connection goes back."""
    attempt_id, count = add(engine, polls=0), counting(engine)
    with ThreadPoolExecutor(16) as pool:
        asked = {"wanted": attempt_id, "most": 60, "now": NOW}
        told = [row for row in pool.map(lambda _: count.make(asked), range(100)) if row]
    assert sorted(row[0] for row in told) == list(range(1, 61))
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_a_change_that_the_database_refuses_is_told_in_sqlalchemys_kind(engine: Engine) -> None:
    """Without the row's values, and the next one finds everything as it was."""
    attempt_id = add(engine)
    new = {name: bindparam(name) for name in attempts.c.keys()}  # noqa: SIM118  # a collection's own
    insertion = Change(engine, insert(attempts).values(new).returning(attempts.c.id))
    row = dict(zip(attempts.c.keys(), by_sqlalchemy(engine, attempt_id) or (), strict=True))
    for _ in range(3):
        with pytest.raises(IntegrityError) as refused:
            insertion.make(row | {"message": "a canary"})
        assert "a canary" not in str(refused.value)
        assert not refused.value.connection_invalidated
    other = {name: f"another {name}" for name in row if name == "id" or name.endswith("_sha256")}
    assert insertion.make(row | other) == ("another id",)
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_a_change_that_cannot_be_kept_is_an_error(tmp_path: Path) -> None:
    """The disk is full: nothing was changed, and nothing is told as changed."""
    engine = open_database(sqlite_url(tmp_path, "full"))
    SCHEMA.upgrade(engine)
    attempt_id = add(engine, message="short")
    write = update(attempts).where(attempts.c.id == bindparam("wanted")).values(message=bindparam("new"))
    change = Change(engine, write.returning(attempts.c.id))
    with engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
    event.listen(
        engine, "checkout", lambda driver, *_: driver.execute(f"PRAGMA max_page_count={pages}").fetchall()
    )
    with pytest.raises(OperationalError, match="full"):
        change.make({"wanted": attempt_id, "new": "x" * 1_000_000})
    place = list(attempts.c.keys()).index("message")
    assert (by_sqlalchemy(engine, attempt_id) or ())[place] == "short"
    assert change.make({"wanted": attempt_id, "new": "y"}) == (attempt_id,)
    engine.dispose()


def test_a_change_on_a_connection_that_is_lost_is_an_error_once(postgresql_url: str) -> None:
    """Whether it was made nobody knows, so it is not made again; the connection is thrown away."""
    engine, other = open_database(postgresql_url), open_database(postgresql_url)
    SCHEMA.upgrade(engine)
    attempt_id, count = add(engine, polls=0), counting(engine)
    asked = {"wanted": attempt_id, "most": 60, "now": NOW}

    to_cut = [True]

    def cut(*_: Any) -> None:
        if not to_cut:
            return
        to_cut.clear()
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with other.begin() as connection:
            assert connection.execute(text(f"SELECT pg_terminate_backend(pid) {others}")).all()

    event.listen(engine, "checkout", cut)
    with pytest.raises(OperationalError) as lost:
        count.make(asked)
    assert lost.value.connection_invalidated
    assert count.make(asked) == (1, NOW, None)
    engine.dispose()
    other.dispose()


FIND = Within(BY_ID)
RENAME = Within(update(attempts).where(attempts.c.id == bindparam("wanted")).values(message=bindparam("new")))


def test_within_a_transaction_it_finds_the_same_values(engine: Engine) -> None:
    """By the names of its columns; what the transaction has changed itself it sees, and nobody keeps it."""
    attempt_id = add(engine)
    with writing(engine).connect() as connection, connection.begin() as transaction:
        assert tuple(FIND.first(connection, wanted=attempt_id)) == by_sqlalchemy(engine, attempt_id)
        assert RENAME.run(connection, wanted=attempt_id, new="other") == 1
        assert FIND.first(connection, wanted=attempt_id).message == "other"
        assert RENAME.run(connection, wanted="att_none", new="other") == 0
        assert FIND.all(connection, wanted="att_none") == []
        transaction.rollback()
    with engine.connect() as connection:
        assert FIND.first(connection, wanted=attempt_id).message != "other"


def test_within_a_transaction_a_refusal_is_told_in_sqlalchemys_kind(engine: Engine) -> None:
    """Without the row's values."""
    first, second = add(engine), add(engine)
    values: dict[str, Any] = {"id": bindparam("new"), "message": bindparam("said")}
    move = Within(update(attempts).where(attempts.c.id == bindparam("wanted")).values(values))
    with pytest.raises(IntegrityError) as refused, writing(engine).begin() as connection:
        move.run(connection, wanted=first, new=second, said="a canary")
    assert "a canary" not in str(refused.value)
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_within_a_transaction_a_lost_connection_is_thrown_away(postgresql_url: str) -> None:
    """It is an error once, which says so; the next transaction has a connection of its own."""
    engine, other = open_database(postgresql_url), open_database(postgresql_url)
    SCHEMA.upgrade(engine)
    attempt_id = add(engine)
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with engine.connect() as connection:
        FIND.first(connection, wanted=attempt_id)
        with other.begin() as cutting:
            cutting.execute(text(f"SELECT pg_terminate_backend(pid) {others}"))
        with pytest.raises(OperationalError) as lost:
            FIND.first(connection, wanted=attempt_id)
    assert lost.value.connection_invalidated
    with engine.begin() as connection:
        assert FIND.first(connection, wanted=attempt_id)
    engine.dispose()
    other.dispose()


def test_names_are_kept_whatever_encoding_the_environment_asks_for(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGCLIENTENCODING is for other programs: this one writes names in every script."""
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    engine = open_database(postgresql_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT :name || ''"), {"name": "少佐"}).scalar_one() == "少佐"
    engine.dispose()


def test_the_connection_that_was_used_last_is_used_next(tmp_path: Path) -> None:
    """On SQLite: its cache of pages is the one that nobody has written past."""
    engine = open_database(sqlite_url(tmp_path, "kept"))
    first, last = engine.raw_connection(), engine.raw_connection()
    kept = last.driver_connection
    first.close()
    last.close()
    for _ in range(3):
        connection = engine.raw_connection()
        assert connection.driver_connection is kept
        connection.close()
    engine.dispose()
