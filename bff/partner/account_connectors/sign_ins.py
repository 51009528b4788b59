"""What became of each sign-in token: the one thing that this service tells and Cyclr does not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, Literal

from flask import json
from sqlalchemy import Connection, select, update

from bff.partner import clock
from bff.partner.audit import audit
from bff.partner.providers.said import Said
from bff.partner.storage import tables
from bff.partner.storage.database import insert_unless_there

TOLD: Final = 10
WAITED_FOR: Final = timedelta(hours=1)
"""So long may somebody ask what became of a sign-in: a whole company may connect at nine o'clock."""
MOST_TOLD: Final = 500
Result = Literal["started", "connected", "declined", "failed"]


def start(connection: Connection, account_connector_id: int, token_sha256: str) -> None:
    """A browser arrived with this token (again, where a token may be visited more than once)."""
    row = {
        "account_connector_id": account_connector_id,
        "token_sha256": token_sha256,
        "result": "started",
        "at": clock.now(),
    }
    insert_unless_there(connection, tables.sign_in, row)


def finish(
    connection: Connection,
    token_sha256: str,
    result: Result,
    *,
    error: str | None = None,
    external_account: str | None = None,
    held: str | None = None,
    said: Said | None = None,
) -> bool:
    """The sign-in of this token has ended. False when it had ended before: the first end stands.

    ``held`` is the sealed grant of a sign-in that may still be accepted (``grants/held.py``), ``said`` what
    the third party answered.
    """
    ended = update(tables.sign_in).where(
        tables.sign_in.c.token_sha256 == token_sha256, tables.sign_in.c.result == "started"
    )
    values = {
        "result": result,
        "error": error,
        "at": clock.now(),
        "external_account": external_account,
        "held": held,
        "provider": json.dumps(said.told()) if said else None,
    }
    first = connection.execute(ended.values(values)).rowcount == 1
    if first:
        audit("sign-in ended", result=result, error=error)
    return first


def result_of(connection: Connection, token_sha256: str) -> Result | None:
    """What became of the sign-in of this token; None where nothing began, or it is forgotten."""
    found = select(tables.sign_in.c.result).where(tables.sign_in.c.token_sha256 == token_sha256)
    result: Result | None = connection.execute(found).scalar_one_or_none()
    return result


def recent(connection: Connection, account_connector_id: int) -> list[dict[str, Any]]:
    """The newest sign-ins of an account connector, newest first, as the API tells them.

    Ten, and those of the last hour, however many: each is waited for by its own page.
    """
    sign_in, since = tables.sign_in, clock.now() - WAITED_FOR
    wanted = select(sign_in).where(sign_in.c.account_connector_id == account_connector_id)
    rows = connection.execute(wanted.order_by(sign_in.c.at.desc(), sign_in.c.id.desc()).limit(MOST_TOLD))
    return [
        {
            "TokenSha256": row.token_sha256,
            "Result": row.result,
            "Error": row.error,
            "AtUtc": clock.dot_net(row.at),
            "ExternalAccount": row.external_account,
            "Provider": json.loads(row.provider) if row.provider else None,
        }
        for number, row in enumerate(rows)
        if number < TOLD or row.at > since
    ]
