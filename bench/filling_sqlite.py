"""SQLite's tables of attempts without their indexes, for as long as a block lasts."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, text

TABLES: Final = ("attempts", "attempt_steps")
KEYS: Final = re.compile(r"CONSTRAINT \S+ (?:PRIMARY KEY|UNIQUE) \(([^)]*)\)")
FAST: Final = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000", "temp_store=MEMORY", "threads=2")
"""Nothing of a half-filled database is of use: should the machine stop, it is made again."""


@contextlib.contextmanager
def bare_sqlite(engine: Engine) -> Iterator[Connection]:
    """A connection that writes into tables without indexes; when the block ends they are built, by sorting.

    Those of a primary key and of UNIQUE cannot be dropped in SQLite, and would be kept in order row by row.
    So the schema says meanwhile that there are none, and gets its own text and the built indexes afterwards.
    (The first, empty ones leave a page each behind, which nothing uses.)
    """
    engine.dispose()
    alone = create_engine(engine.url, isolation_level="AUTOCOMMIT")
    with alone.connect() as connection:
        for pragma in FAST:
            connection.execute(text(f"PRAGMA {pragma}"))
        indexes = _schema(connection, "index")
        tables = _schema(connection, "table")
        for name, sql in indexes.items():
            if sql is not None:
                connection.execute(text(f"DROP INDEX {name}"))
        for name, sql in tables.items():
            _forget_keys(connection, name, str(sql))
        connection.execute(text("BEGIN"))
        yield connection
        connection.execute(text("COMMIT"))
        for name, sql in tables.items():
            _build_keys(connection, name, str(sql))
        for sql in filter(None, indexes.values()):
            connection.execute(text(sql))
        connection.execute(text("PRAGMA journal_mode=WAL"))
    alone.dispose()


def _schema(connection: Connection, kind: str) -> dict[str, str | None]:
    names = ", ".join(f"'{name}'" for name in TABLES)
    found = f"SELECT name, sql FROM sqlite_master WHERE type = '{kind}' AND tbl_name IN ({names})"
    return {row.name: row.sql for row in connection.execute(text(found))}


def _forget_keys(connection: Connection, name: str, sql: str) -> None:
    without = re.sub(r",\s*CONSTRAINT .*", "\n)", sql, flags=re.DOTALL)
    _rewrite(
        connection,
        f"UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = '{name}'",
        {"sql": without},
        f"DELETE FROM sqlite_master WHERE type = 'index' AND tbl_name = '{name}'",
    )


def _build_keys(connection: Connection, name: str, sql: str) -> None:
    columns = KEYS.findall(sql)
    for number, key in enumerate(columns, 1):
        connection.execute(text(f"CREATE UNIQUE INDEX built_{number} ON {name} ({key})"))
    _rewrite(
        connection,
        f"UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = '{name}'",
        {"sql": sql},
        "UPDATE sqlite_master SET sql = NULL, name = replace(name, 'built_',"
        f" 'sqlite_autoindex_{name}_') WHERE type = 'index' AND name LIKE 'built!_%' ESCAPE '!'",
    )


def _rewrite(connection: Connection, table: str, values: dict[str, str], indexes: str) -> None:
    connection.execute(text("PRAGMA writable_schema=ON"))
    connection.execute(text(table), values)
    connection.execute(text(indexes))
    # Read it anew, and refuse such statements again.
    connection.execute(text("PRAGMA writable_schema=RESET"))
