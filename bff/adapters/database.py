"""One engine, set up so that writers queue instead of failing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event

MIGRATIONS: Final = Path(__file__).parent / "migrations"
WRITES: Final = {"hitchpost_writes": True}


def open_database(url: str) -> Engine:
    """An engine for ``url`` (SQLAlchemy form). SQLite gets WAL, a busy timeout and foreign keys."""
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def writing(engine: Engine) -> Engine:
    """The same engine for a transaction that writes.

    On SQLite it begins IMMEDIATE: a transaction that reads first and writes later would be refused at once
    when another writer got in between, whatever the busy timeout says.
    """
    return engine.execution_options(**WRITES)


def upgrade(engine: Engine) -> None:
    """Bring the schema up to date."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with writing(engine).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction handling is switched off: it would begin too late and never IMMEDIATE.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "busy_timeout=10000", "foreign_keys=ON", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("hitchpost_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
