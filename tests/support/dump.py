"""Everything that a database holds, as whoever steals it would read it."""

from __future__ import annotations

from sqlalchemy import create_engine, inspect


def dump(url: str) -> str:
    """Every value of every row of every table, one a line, as the driver reads it."""
    engine = create_engine(url)
    with engine.connect() as connection:
        quote = engine.dialect.identifier_preparer.quote
        tables = [quote(name) for name in inspect(connection).get_table_names()]
        values = [
            str(value)
            for table in tables
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}").cursor.fetchall()
            for value in row
        ]
    engine.dispose()
    return "\n".join(values)
