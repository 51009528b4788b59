"""The migrations and the tables say the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, create_engine, insert, inspect

import bff.partner.storage.database
import bff.storage.schema
from bff.connect import typed_values
from bff.connections.connection import Change, State, Stored
from bff.connections.store import DatabaseConnections
from bff.partner.storage import tables as partner_tables
from bff.serving.database import open_database
from bff.storage import tables
from bff.upstream.account_owners import DatabaseAccountOwners
from bff.upstream.protocol import Owner
from tests.support.databases import DatabaseUrl

Open = Callable[[str], Engine]


def open_bff(url: str) -> Engine:
    """The BFF's database, brought up to date twice."""
    engine = open_database(url)
    bff.storage.schema.SCHEMA.upgrade(engine)
    bff.storage.schema.SCHEMA.upgrade(engine)
    return engine


def open_partner(url: str) -> Engine:
    """The embedded service's database, brought up to date twice."""
    bff.partner.storage.database.Database(url)
    bff.partner.storage.database.Database(url)
    return create_engine(url)


BOTH = [
    pytest.param(open_bff, tables.metadata, bff.storage.schema.MIGRATIONS, id="bff"),
    pytest.param(
        open_partner, partner_tables.metadata, bff.partner.storage.database.MIGRATIONS, id="partner"
    ),
]


def drift(engine: Engine, metadata: MetaData) -> list[object]:
    """What differs between the database and the tables."""
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


@pytest.mark.parametrize(("open_database", "metadata", "migrations"), BOTH)
def test_the_migrations_make_the_tables(
    tmp_path: Path, database_url: DatabaseUrl, open_database: Open, metadata: MetaData, migrations: Path
) -> None:
    """A database brought up to date differs from the tables in nothing; a second time changes nothing.

    All the way down leaves no table behind, and up again makes the same as before.
    """
    engine = open_database(database_url(tmp_path, "one"))
    assert drift(engine, metadata) == []
    config = Config()
    config.set_main_option("script_location", str(migrations))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    assert drift(engine, metadata) == []
    engine.dispose()


def test_an_account_belongs_to_the_product_that_used_it_first(
    tmp_path: Path, database_url: DatabaseUrl
) -> None:
    """Before that was kept, the attempts tell: of those that were launched, the earliest."""
    engine = open_database(database_url(tmp_path, "bff"))
    config = Config()
    config.set_main_option("script_location", str(bff.storage.schema.MIGRATIONS))

    def move(to: Callable[[Config, str], None], revision: str) -> None:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            to(config, revision)

    move(command.downgrade, "0009")
    with engine.begin() as connection:
        for number, (product, account, launched) in enumerate(
            [
                ("blog", "1", 3),
                ("shop", "1", 2),
                ("early", "1", None),
                ("blog", "ACME", 5),
                ("shop", "acme", 9),
            ]
        ):
            connection.execute(
                insert(tables.attempts).values(attempt_row(number, product, account, launched))
            )
    move(command.upgrade, "head")
    owners = DatabaseAccountOwners(engine).of(["1", "acme", "unused"])
    assert owners == {"1": Owner("shop", "1"), "acme": Owner("blog", "ACME")}
    engine.dispose()


def test_a_connection_that_was_lost_before_is_looked_at(tmp_path: Path, database_url: DatabaseUrl) -> None:
    """It may have been healed elsewhere; what has ended is left alone."""
    engine = open_database(database_url(tmp_path, "bff"))
    config = Config()
    config.set_main_option("script_location", str(bff.storage.schema.MIGRATIONS))
    at, store = datetime(2026, 1, 1, tzinfo=UTC), DatabaseConnections(engine)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0020")
    for number, state in enumerate((State.NEEDS_RECONNECT, State.DISCONNECTED)):
        store.apply(Change(Stored("demo", state.value, number, "crm", "CRM", state, at, at)), None)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    assert store.due(at, 10) == [("demo", "needs_reconnect")]
    engine.dispose()


def test_what_users_typed_before_is_known(tmp_path: Path, database_url: DatabaseUrl) -> None:
    """Of the attempts that are stored: those whose form was sent to an account connector."""
    engine = open_database(database_url(tmp_path, "bff"))
    config = Config()
    config.set_main_option("script_location", str(bff.storage.schema.MIGRATIONS))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0023")
        for number, (connector, step) in enumerate(
            [(7, "form_sent"), (7, "form_sent"), (8, "polled"), (None, "form_sent")]
        ):
            row = attempt_row(number, "demo", "acme", 1) | {"account_connector_id": connector}
            connection.execute(insert(tables.attempts).values(row))
            sent = {"attempt_id": row["id"], "step": step, "first_at": at, "last_at": at, "count": 1}
            connection.execute(insert(tables.attempt_steps).values(sent))
        command.upgrade(config, "head")
        assert [typed_values.exist(connection, connector) for connector in (7, 8)] == [True, False]
    engine.dispose()


def attempt_row(number: int, product: str, account: str, launched: int | None) -> dict[str, object]:
    """An attempt of this product, launched so many minutes after midnight."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    columns = tables.attempts.columns
    text = {column.name: "x" for column in columns if not column.nullable and column.server_default is None}
    return text | {
        "id": f"att_{number}",
        "launch_token_sha256": str(number),
        "product": product,
        "account_id": account,
        "created_at": at,
        "expires_at": at,
        "launched_at": None if launched is None else at + timedelta(minutes=launched),
    }
