"""Sign-in tokens: minted over the API, redeemed once by a browser."""

from __future__ import annotations

import base64
import uuid
from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, Response
from sqlalchemy import Connection, Row, delete, insert, select, update

from bff.partner import accounts, clock, grants, tables
from bff.partner.api import answer, body, calling_token, partner_level, text
from bff.partner.context import embedded
from bff.partner.crypto import sha256
from bff.partner.errors import ApiError, denied, missing

routes = Blueprint("sign_in_tokens", __name__)

LIFE: Final = timedelta(minutes=5)
KEPT: Final = timedelta(days=1)


@routes.post("/v1.0/accounts/<any_text:account_id>/signintoken")
def mint(account_id: str) -> Response:
    """A token that signs one browser in as ``Username``, who is created when unknown."""
    service = embedded()
    partner_level(account_id)
    if calling_token().scope_account_id is not None and not service.settings.sign_in_with_restricted_token:
        raise denied()
    username = (text(body(), "Username") or "").strip()
    if not username:
        raise ApiError(400, "Username is required")
    token, now = _random_token(), clock.now()
    row = {
        "sha256": sha256(token),
        "account_id": account_id,
        "username": username,
        "expires_at": now + LIFE,
    }
    with service.database.writing() as connection:
        _forget_old(connection)
        _require_or_create(connection, account_id)
        accounts.ensure_user(connection, account_id, username)
        connection.execute(insert(tables.sign_in_token).values(row))
    response = answer({"Token": token, "ExpiresAtUtc": clock.dot_net(now + LIFE)})
    response.headers["Cache-Control"] = "no-store"
    return response


def find(connection: Connection, token: str) -> Row[Any] | None:
    """A token that may still be redeemed."""
    table = tables.sign_in_token
    wanted = select(table).where(table.c.sha256 == sha256(token), table.c.used_at.is_(None))
    return connection.execute(wanted.where(table.c.expires_at > clock.now())).first()


def find_expired(connection: Connection, token: str) -> Row[Any] | None:
    """A token whose time passed before anybody used it."""
    table = tables.sign_in_token
    wanted = select(table).where(table.c.sha256 == sha256(token), table.c.used_at.is_(None))
    return connection.execute(wanted.where(table.c.expires_at <= clock.now())).first()


def redeem(connection: Connection, token_sha256: str) -> bool:
    """Use a token up. Of any number at once, one is told True."""
    table, now = tables.sign_in_token, clock.now()
    unused = update(table).where(table.c.sha256 == token_sha256, table.c.used_at.is_(None))
    return connection.execute(unused.values(used_at=now)).rowcount == 1


def _random_token() -> str:
    # Two random GUIDs in standard base64: 44 characters with + / =, as Cyclr's are. 244 random bits.
    return base64.b64encode(uuid.uuid4().bytes + uuid.uuid4().bytes).decode()


def _require_or_create(connection: Connection, account_id: str) -> None:
    known = select(tables.account.c.id).where(tables.account.c.id == account_id)
    if connection.execute(known).first() is not None:
        return
    if embedded().settings.sign_in_for_unknown_account == "refuse":
        raise missing("Account")
    accounts.add_account(connection, account_id, {"Name": account_id})


def _forget_old(connection: Connection) -> None:
    old = clock.now() - KEPT
    connection.execute(delete(tables.sign_in_token).where(tables.sign_in_token.c.expires_at < old))
    connection.execute(delete(tables.flow).where(tables.flow.c.expires_at < old))
    grants.forget_old(connection)
