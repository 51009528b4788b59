"""Cleanup after a restore: invalidates one-time values, and prevents the reuse of ids."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Table, cast, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import REGCLASS

from bff.partner.storage import tables
from bff.partner.storage.database import Database

ONE_TIME: Final = {
    "access tokens": tables.api_token,
    "sign-in tokens": tables.sign_in_token,
    "sign-ins under way": tables.flow,
    "sign-ins to be completed": tables.completion,
}
NUMBERED: Final = (tables.account_connector, tables.property_value, tables.sign_in)
"""Tables with autoincrement ids."""
JUMP: Final = 1_000_000
"""Ids skipped by a restore: more than are assigned between backup and restore. 2000 restores fit."""


def void(database: Database) -> dict[str, int]:
    """Delete one-time values that may have been used since the backup, and advance the id sequences.

    Returns the number of deleted rows by label. Safe to repeat, and while the service runs. Disconnects and
    replacements since the backup are lost: such a connection appears valid until its grant is refreshed.
    """
    with database.writing() as connection:
        ended = {
            f"{name} ended": connection.execute(delete(table)).rowcount for name, table in ONE_TIME.items()
        }
        owner = tables.account_connector
        connection.execute(update(owner).values(refresh_lease_ends=None))
        for table in NUMBERED:
            _jump(connection, table)
        return ended


def _jump(connection: Connection, table: Table) -> None:
    """Advance the id sequence of ``table`` by ``JUMP``, beyond all ids assigned since the backup."""
    highest = connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
    if connection.dialect.name == "postgresql":
        sequence_name = connection.execute(select(func.pg_get_serial_sequence(table.name, "id"))).scalar_one()
        sequence = cast(sequence_name, REGCLASS)
        last_value = connection.execute(select(func.pg_sequence_last_value(sequence))).scalar()
        connection.execute(select(func.setval(sequence, max(highest, last_value or 0) + JUMP)))
        return
    # https://sqlite.org/autoinc.html: sqlite_sequence is an ordinary table with the highest id ever used.
    last_value_sqlite = connection.execute(
        text("SELECT max(seq) FROM sqlite_sequence WHERE name = :name"), {"name": table.name}
    ).scalar()
    connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
    connection.execute(
        text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"),
        {"name": table.name, "seq": max(highest, last_value_sqlite or 0) + JUMP},
    )
