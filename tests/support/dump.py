"""Everything that a database holds, as whoever steals it would read it."""

from __future__ import annotations

from sqlalchemy import MetaData, create_engine, select


def dump(url: str) -> str:
    """Every value of every row of every table, one a line."""
    engine = create_engine(url)
    metadata = MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        rows = [row for table in metadata.sorted_tables for row in connection.execute(select(table))]
    engine.dispose()
    return "\n".join(str(value) for row in rows for value in row)
