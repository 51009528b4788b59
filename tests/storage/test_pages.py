"""Lists by pages: each row once, whatever zone the server of the database is in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Column, MetaData, String, Table, create_engine, delete, event, insert, select, text

from bff.serving.database import open_database
from bff.storage import pages
from bff.storage.pages import PagedQuery
from bff.storage.tables import UtcDateTime

ROWS = Table(
    "listed", MetaData(), Column("id", String(8), primary_key=True), Column("created_at", UtcDateTime)
)
KINDS = Table(
    "kinds",
    MetaData(),
    Column("id", String(8), primary_key=True),
    Column("created_at", UtcDateTime),
    Column("kind", String(1)),
)
NEWEST = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["America/New_York", "UTC", "Asia/Tokyo"])
def test_pages_go_on_where_the_last_one_ended(postgresql_url: str, zone: str) -> None:
    """Times are stored in UTC. The zone of the server, or of this machine, moves no cursor."""
    with create_engine(postgresql_url).connect().execution_options(isolation_level="AUTOCOMMIT") as server:
        name = server.execute(text("SELECT current_database()")).scalar_one()
        server.execute(text(f"ALTER DATABASE {name} SET timezone = '{zone}'"))
    engine = open_database(postgresql_url)
    times = [NEWEST - timedelta(hours=number) for number in range(30)]
    with engine.begin() as connection:
        ROWS.create(connection)
        rows = [{"id": f"{number:02}", "created_at": at} for number, at in enumerate(times)]
        connection.execute(insert(ROWS), rows)
        query, after, found = PagedQuery(ROWS, ROWS.c.id != ""), None, list[str]()
        for _ in range(4):
            page, after = query.read(connection, 10, after)
            found += [row.id for row in page]
            if after is None:
                break
    assert found == [row["id"] for row in rows]
    engine.dispose()


def test_rows_that_are_deleted_meanwhile_hide_no_others(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A purge runs beside a filtered list: each row that stays is on a page."""
    monkeypatch.setattr(pages, "ROWS_SCANNED", 10)
    engine = open_database(postgresql_url)
    with engine.begin() as connection:
        KINDS.create(connection)
        rows = [
            {"id": f"{number:02}", "created_at": NEWEST - timedelta(hours=number), "kind": "ab"[number % 2]}
            for number in range(60)
        ]
        connection.execute(insert(KINDS), rows)

    def purge(*_: object) -> None:
        with engine.begin() as purging:
            some = select(KINDS.c.id).where(KINDS.c.kind == "a").order_by(KINDS.c.id).limit(1)
            purging.execute(delete(KINDS).where(KINDS.c.id.in_(some)))

    query, after, found = PagedQuery(KINDS, KINDS.c.id != "", {"kind": "b"}), None, list[str]()
    with engine.connect() as connection:
        event.listen(connection, "after_cursor_execute", purge)
        for _ in range(20):
            page, after = query.read(connection, 10, after)
            found += [row.id for row in page]
            if after is None:
                break
    assert found == [row["id"] for row in rows if row["kind"] == "b"]
    engine.dispose()
