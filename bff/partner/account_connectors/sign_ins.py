"""Records the result of each sign-in. The API reports it, which Cyclr's does not."""

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

ALWAYS_REPORTED: Final = 10
"""The newest sign-ins of an account connector that are always reported."""
WAITED_FOR: Final = timedelta(hours=1)
"""Age up to which further sign-ins are reported. Many users of one account may connect at the same time."""
MOST_REPORTED: Final = 500
Result = Literal["started", "connected", "declined", "failed"]


def start(connection: Connection, account_connector_id: int, token_sha256: str) -> None:
    """Record that a browser has opened the sign-in link. Does nothing if that is already recorded."""
    row = {
        "account_connector_id": account_connector_id,
        "token_sha256": token_sha256,
        "result": "started",
        "at": clock.now(),
    }
    insert_unless_there(connection, tables.sign_in, row)


def begin_again(connection: Connection, token_sha256: str) -> None:
    """Record that a sign-in which did not connect is tried again, by a link that is still good.

    Links are good for one try only, unless ``consume_token`` is ``completion``.
    """
    sign_in = tables.sign_in
    ended = update(sign_in).where(
        sign_in.c.token_sha256 == token_sha256,
        sign_in.c.result.in_(("declined", "failed")),
        sign_in.c.held.is_(None),
    )
    nothing = dict.fromkeys(("error", "external_account", "provider"))
    connection.execute(ended.values(result="started", at=clock.now(), **nothing))


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
    """Record the end of a sign-in. Returns False, and changes nothing, if it has already ended.

    ``held`` is the encrypted grant of a sign-in that may still be accepted (``grants/held.py``). ``said`` is
    the third party's answer.
    """
    open_sign_in = update(tables.sign_in).where(
        tables.sign_in.c.token_sha256 == token_sha256, tables.sign_in.c.result == "started"
    )
    values = {
        "result": result,
        "error": error,
        "at": clock.now(),
        "external_account": external_account,
        "held": held,
        "provider": json.dumps(said.as_json()) if said else None,
    }
    first = connection.execute(open_sign_in.values(values)).rowcount == 1
    if first:
        audit("sign-in ended", result=result, error=error)
    return first


def is_open(connection: Connection, token_sha256: str) -> bool:
    """Whether the sign-in with this token has begun and not ended. It is locked, so that this stays so."""
    wanted = select(tables.sign_in.c.result).where(tables.sign_in.c.token_sha256 == token_sha256)
    return connection.execute(wanted.with_for_update()).scalar_one_or_none() == "started"


def result_of(connection: Connection, token_sha256: str) -> Result | None:
    """The result of the sign-in with this token; None if none is stored."""
    wanted = select(tables.sign_in.c.result).where(tables.sign_in.c.token_sha256 == token_sha256)
    result: Result | None = connection.execute(wanted).scalar_one_or_none()
    return result


def recent(connection: Connection, account_connector_id: int) -> list[dict[str, Any]]:
    """The newest sign-ins of an account connector, newest first, in the form of the API.

    These are the newest ten, and all of the last hour (at most ``MOST_REPORTED``): a page may wait for each
    of them.
    """
    sign_in, since = tables.sign_in, clock.now() - WAITED_FOR
    wanted = select(sign_in).where(sign_in.c.account_connector_id == account_connector_id)
    rows = connection.execute(wanted.order_by(sign_in.c.at.desc(), sign_in.c.id.desc()).limit(MOST_REPORTED))
    return [
        {
            "TokenSha256": row.token_sha256,
            "Result": row.result,
            "Error": row.error,
            "AtUtc": clock.dot_net(row.at),
            "ExternalAccount": row.external_account,
            "Provider": json.loads(row.provider) if row.provider else None,
        }
        for index, row in enumerate(rows)
        if index < ALWAYS_REPORTED or row.at > since
    ]
