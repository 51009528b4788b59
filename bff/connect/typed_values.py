"""Remembers which account connectors have values that a user typed, although the attempt may be deleted."""

from __future__ import annotations

import contextlib
from datetime import datetime

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from bff.identity.principal import AccountRef
from bff.storage.tables import typed_values


def note(connection: Connection, account: AccountRef, account_connector_id: int, at: datetime) -> None:
    """Store that a user typed values for this account connector, unless that is stored already."""
    row = {
        "account_connector_id": account_connector_id,
        "product": account.product,
        "account_id": account.id,
        "at": at,
    }
    with contextlib.suppress(IntegrityError), connection.begin_nested():
        connection.execute(insert(typed_values).values(row))


def exist(connection: Connection, account_connector_id: int) -> bool:
    """Whether a user has typed values for this account connector."""
    query = select(typed_values.c.at).where(typed_values.c.account_connector_id == account_connector_id)
    return connection.execute(query.limit(1)).first() is not None
