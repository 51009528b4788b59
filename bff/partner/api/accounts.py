"""API routes of accounts, their users and their sub-accounts."""

from __future__ import annotations

import uuid
from typing import Any, Final

from flask import Blueprint, Response
from pydantic import BaseModel
from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bff.openapi.operation import TEXT
from bff.partner import clock
from bff.partner.access import (
    answer,
    body,
    id_text,
    is_in_usual_order,
    ordered,
    page_of,
    paged,
    partner_level,
    require_account,
    text,
    wanted_page,
)
from bff.partner.context import embedded
from bff.partner.errors import ApiError, denied, missing
from bff.partner.grants import noting, revocation
from bff.partner.openapi import describe, shapes
from bff.partner.openapi.describe import ListOf
from bff.partner.storage import tables
from bff.partner.storage.database import insert_unless_there

routes = Blueprint("accounts", __name__)

MAX_RETENTION_HOURS: Final = 744
RETENTION: Final = ("StepDataSuccessRetentionHours", "StepDataErroredRetentionHours")
DEFAULTS: Final[dict[str, Any]] = {
    "Description": None,
    "Timezone": "Etc/UTC",
    "StepDataSuccessRetentionHours": 24,
    "StepDataErroredRetentionHours": 72,
    "TransactionErrorWebhookEnabled": False,
    "TransactionErrorWebhookUrl": None,
    "TransactionErrorWebhookIncludeWarnings": False,
    "AuditInfo": None,
    "TaskAuditInfo": None,
    "ParentAccountId": None,
    "NextBillDateUtc": None,
}


class UserName(BaseModel):
    """A user of an account."""

    UserName: shapes.Filled


@routes.post("/v1.0/accounts")
@describe.operation(shapes.Account, body=shapes.NewAccount)
def create() -> Response:
    """Create an account.

    ``Id`` may be any text. The default is a new GUID.
    """
    partner_level()
    document = body()
    if not (text(document, "Name") or "").strip():
        raise ApiError(400, "Name is required")
    account_id = id_text(document, "Id") or str(uuid.uuid4())
    with embedded().database.writing() as connection:
        row = add_account(connection, account_id, _values(document))
    return answer(_document(row))


@routes.get("/v1.0/accounts")
@describe.operation(ListOf(shapes.Account))
def list_all() -> Response:
    """List all accounts."""
    partner_level()
    with embedded().database.reading() as connection:
        if is_in_usual_order():
            page, table = wanted_page(), tables.account
            query = select(table).order_by(table.c.created_at, table.c.id)
            rows = connection.execute(query.offset(page.first).limit(page.size)).all()
            total = connection.execute(select(func.count()).select_from(table)).scalar_one()
            return paged([_document(row) for row in rows], total)
        rows = connection.execute(select(tables.account)).all()
    return page_of(ordered([_document(row) for row in rows], "CreatedDate"))


@routes.get("/v1.0/accounts/<any_text:account_id>")
@describe.operation(shapes.Account, 404)
def read(account_id: str) -> Response:
    """Read one account."""
    partner_level(account_id)
    with embedded().database.reading() as connection:
        return answer(_document(_find(connection, account_id)))


@routes.put("/v1.0/accounts/<any_text:account_id>")
@describe.operation(shapes.Account, 404, body=shapes.AccountChange)
def change(account_id: str) -> Response:
    """Change the fields of an account that the body contains."""
    scope, changes = partner_level(account_id), _values(body())
    if scope is not None and "ParentAccountId" in changes:
        # Only the partner may set the parent, because the parent may read its sub-accounts.
        raise denied()
    with embedded().database.writing() as connection:
        row = _find(connection, account_id)
        changed = update(tables.account).where(tables.account.c.id == account_id)
        connection.execute(changed.values(details={**row.details, **changes}))
        return answer(_document(_find(connection, account_id)))


@routes.delete("/v1.0/accounts/<any_text:account_id>")
@describe.operation(shapes.Message, 404)
def remove(account_id: str) -> Response:
    """Remove an account with all its contents, and the access tokens that are restricted to it.

    Its grants are revoked at their third parties within about a minute.
    """
    partner_level()
    service, table = embedded(), tables.account_connector
    with service.database.writing() as connection:
        _find(connection, account_id)
        for installed in connection.execute(select(table).where(table.c.account_id == account_id)).all():
            revocation.take_out_of_use(service, connection, installed)
        noting.throw_away_held(service, connection, table.c.account_id == account_id)
        # No foreign key does this: a token may be issued before its account exists.
        tokens = tables.api_token
        connection.execute(delete(tokens).where(tokens.c.scope_account_id == account_id))
        connection.execute(delete(tables.account).where(tables.account.c.id == account_id))
    return answer({"Message": "Account successfully deleted."})


@routes.get("/v1.0/accounts/<any_text:account_id>/subaccounts")
@describe.operation(ListOf(shapes.Account), 404)
def list_sub_accounts(account_id: str) -> Response:
    """List the sub-accounts of an account."""
    partner_level(account_id)
    require_account(account_id)
    with embedded().database.reading() as connection:
        rows = [
            row
            for row in connection.execute(select(tables.account))
            if row.details.get("ParentAccountId") == account_id
        ]
    return page_of(ordered([_document(row) for row in rows], "CreatedDate"))


@routes.get("/v1.0/accounts/<any_text:account_id>/users")
@describe.operation(ListOf(TEXT), 404)
def list_users(account_id: str) -> Response:
    """List the usernames of an account."""
    partner_level(account_id)
    require_account(account_id)
    users = tables.account_user
    wanted = select(users.c.username).where(users.c.account_id == account_id).order_by(users.c.username)
    with embedded().database.reading() as connection:
        return page_of(list(connection.scalars(wanted)))


@routes.put("/v1.0/accounts/<any_text:account_id>/users")
@describe.operation(shapes.Message, 404, body=UserName)
def add_user(account_id: str) -> Response:
    """Add a user to an account.

    A password is accepted but not stored, because users do not sign in to this service.
    """
    partner_level(account_id)
    require_account(account_id)
    name = _username(body(), "UserName")
    with embedded().database.writing() as connection:
        ensure_user(connection, account_id, name)
    return answer({"Message": f"User '{name}' added."})


@routes.delete("/v1.0/accounts/<any_text:account_id>/users")
@describe.operation(shapes.Message, 404, body=UserName)
def remove_user(account_id: str) -> Response:
    """Remove a user from an account."""
    partner_level(account_id)
    require_account(account_id)
    users, name = tables.account_user, _username(body(), "UserName")
    removal = delete(users).where(users.c.account_id == account_id, users.c.username == name)
    with embedded().database.writing() as connection:
        if connection.execute(removal).rowcount == 0:
            raise missing("User")
    return answer({"Message": f"User '{name}' removed."})


def add_account(connection: Connection, account_id: str, values: dict[str, Any]) -> Row[Any]:
    """Insert an account. Raises ``ApiError`` (400) if the id is in use, blank or has space at its ends.

    Requests name the account in a header. HTTP strips the space at the ends of a header value (RFC 9110,
    section 5.5), so they would name another account.
    """
    if not account_id.strip() or account_id != account_id.strip():
        raise ApiError(400, "Id must not be blank, nor have white space before or after it")
    row = {"id": account_id, "created_at": clock.now(), "details": {**DEFAULTS, **values}}
    try:
        connection.execute(insert(tables.account).values(row))
    except IntegrityError:
        raise ApiError(400, "ID already in use") from None
    return _find(connection, account_id)


def ensure_user(connection: Connection, account_id: str, username: str) -> None:
    """Add the user to the account, if it does not exist."""
    row = {"account_id": account_id, "username": username}
    insert_unless_there(connection, tables.account_user, row)


def _username(document: dict[str, Any], field: str) -> str:
    name = text(document, field)
    if not name or not name.strip():
        raise ApiError(400, f"{field} is required")
    return name


def _find(connection: Connection, account_id: str) -> Row[Any]:
    row = connection.execute(select(tables.account).where(tables.account.c.id == account_id)).first()
    if row is None:
        raise missing("Account")
    return row


def _document(row: Row[Any]) -> dict[str, Any]:
    return {"CreatedDate": clock.dot_net(row.created_at), "Id": row.id, **row.details}


def _values(document: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in (
        "Name",
        "Timezone",
        "TransactionErrorWebhookUrl",
        "AuditInfo",
        "TaskAuditInfo",
        "ParentAccountId",
    ):
        if (value := text(document, name)) is not None:
            values[name] = value
    if (description := text(document, "Description", 4000)) is not None:
        values["Description"] = description
    for name in ("TransactionErrorWebhookEnabled", "TransactionErrorWebhookIncludeWarnings"):
        if isinstance(document.get(name), bool):
            values[name] = document[name]
    for name in RETENTION:
        hours = document.get(name)
        if isinstance(hours, int) and not isinstance(hours, bool):
            if hours < 0:
                raise ApiError(400, f"{name} ({hours}): must be non negative")
            values[name] = min(hours, MAX_RETENTION_HOURS)
    return values
