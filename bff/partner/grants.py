"""What a finished sign-in brought: kept at once, or held while another third-party account is connected."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, Response
from sqlalchemy import Connection, Row, select, update

from bff.partner import account_connector_store as store
from bff.partner import clock, sign_ins, tables
from bff.partner.api import account_level, answer
from bff.partner.context import Embedded, embedded
from bff.partner.credentials import seal, unseal
from bff.partner.errors import ApiError, missing
from bff.partner.provider import Credentials

routes = Blueprint("grants", __name__)

HELD_FOR: Final = timedelta(minutes=15)
"""So long after the sign-in its grant may be taken in place of the connected one."""
MISMATCH: Final = "account_mismatch"


def keep(
    service: Embedded,
    connection: Connection,
    row: Row[Any],
    token_sha256: str,
    credentials: Credentials,
    account: str | None,
) -> bool:
    """Connect with ``credentials``. False when they were held instead, since another account is connected.

    Where the third party does not name the account, the newest grant wins: nobody could tell them apart.
    """
    if row.authenticated and account and row.external_account and account != row.external_account:
        held = seal(service.vault, credentials, store.held_in(row, token_sha256))
        sign_ins.finish(
            connection, token_sha256, "failed", error=MISMATCH, external_account=account, held=held
        )
        return False
    _connect(service, connection, row, credentials, account)
    sign_ins.finish(connection, token_sha256, "connected", external_account=account)
    return True


@routes.put("/v1.0/account/connectors/<int:account_connector_id>/signins/<token_sha256>/accept")
def accept(account_connector_id: int, token_sha256: str) -> Response:
    """Take the held grant of a sign-in (told by its token's SHA-256) in place of the connected one.

    Hitchpost's own call. Repeated, it answers the same; 410 when the grant is held no longer.
    """
    account_id, service = account_level(), embedded()
    table = tables.sign_in
    with service.database.writing() as connection:
        row = store.find(connection, account_id, account_connector_id)
        ours = (table.c.token_sha256 == token_sha256) & (table.c.account_connector_id == row.id)
        found = connection.execute(select(table).where(ours)).first()
        if found is None:
            raise missing("Sign-in")
        if found.result != "connected":
            if found.held is None or found.at < clock.now() - HELD_FOR:
                raise ApiError(410, "This sign-in can no longer be accepted.")
            credentials = unseal(service.vault, found.held, store.held_in(row, token_sha256))
            _connect(service, connection, row, credentials, found.external_account)
            values = {"result": "connected", "error": None, "held": None, "at": clock.now()}
            connection.execute(update(table).where(ours).values(values))
        return answer(store.told(service, connection, store.find(connection, account_id, row.id)))


def _connect(
    service: Embedded,
    connection: Connection,
    row: Row[Any],
    credentials: Credentials,
    account: str | None,
) -> None:
    table = tables.account_connector
    values = {
        "credentials": seal(service.vault, credentials, store.sealed_in(row, "credentials")),
        "refresh_not_before": None,
        "refresh_failures": 0,
        "authenticated": True,
        "authenticated_at": clock.now(),
        "external_account": account,
    }
    connection.execute(update(table).where(table.c.id == row.id).values(values))
