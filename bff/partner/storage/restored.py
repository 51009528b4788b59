"""After a restore: nothing that was used since the backup may be good again, and no id is given twice."""

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
"""Whose ids the database counts up."""
JUMP: Final = 1_000_000
"""More ids than are given between a backup and its restore; there is room for two thousand restores."""


def void(database: Database) -> dict[str, int]:
    """End what may have been used since the backup, and let the ids jump; how many of each, in words.

    Safe to repeat, and while the service runs. What a connection was disconnected or replaced by since the
    backup is not known: it stands again until its grant is refreshed.
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
    """The next id of ``table`` is beyond any that was given since the backup."""
    highest = connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
    if connection.dialect.name == "postgresql":
        named = connection.execute(select(func.pg_get_serial_sequence(table.name, "id"))).scalar_one()
        sequence = cast(named, REGCLASS)
        stands = connection.execute(select(func.pg_sequence_last_value(sequence))).scalar()
        connection.execute(select(func.setval(sequence, max(highest, stands or 0) + JUMP)))
        return
    # https://sqlite.org/autoinc.html: the highest id that was ever given, in an ordinary table.
    known = connection.execute(
        text("SELECT max(seq) FROM sqlite_sequence WHERE name = :name"), {"name": table.name}
    ).scalar()
    connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
    connection.execute(
        text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"),
        {"name": table.name, "seq": max(highest, known or 0) + JUMP},
    )
