"""API routes of account connectors: list, read, change, remove, de-authenticate."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from sqlalchemy import Connection, delete, func, update
from sqlalchemy.exc import IntegrityError

from bff.partner import clock
from bff.partner.access import (
    account_level,
    answer,
    body,
    is_in_usual_order,
    ordered,
    page_of,
    paged,
    text,
    wanted_page,
)
from bff.partner.account_connectors import properties, state, store
from bff.partner.audit import audit
from bff.partner.context import embedded
from bff.partner.errors import ApiError
from bff.partner.grants import noting, revocation
from bff.partner.openapi import describe, shapes
from bff.partner.openapi.describe import Access, ListOf
from bff.partner.sign_in import typed_credentials
from bff.partner.storage import tables

routes = Blueprint("account_connectors", __name__)


@routes.get("/v1.0/account/connectors")
@describe.operation(ListOf(shapes.AccountConnector), 404, access=Access.ACCOUNT)
def list_all() -> Response:
    """List the account connectors of the account."""
    account_id, service = account_level(), embedded()
    with service.database.reading() as connection:
        rows = store.find_all(connection, account_id)
        if is_in_usual_order():
            page = wanted_page()
            shown = rows[page.first : page.first + page.size]
            return paged([store.as_json(service, connection, row) for row in shown], len(rows))
        return page_of(ordered([store.as_json(service, connection, row) for row in rows]))


@routes.get("/v1.0/account/connectors/<int:account_connector_id>")
@describe.operation(shapes.AccountConnector, 404, access=Access.ACCOUNT)
def read(account_connector_id: int) -> Response:
    """Read one account connector."""
    account_id, service = account_level(), embedded()
    with service.database.reading() as connection:
        row = store.find(connection, account_id, account_connector_id)
        return answer(store.as_json(service, connection, row))


@routes.put("/v1.0/account/connectors/<int:account_connector_id>")
@describe.operation(
    shapes.AccountConnector, 404, 409, 422, 424, access=Access.ACCOUNT, body=shapes.ConnectorChange
)
def change(account_connector_id: int) -> Response:
    """Change the name, description or properties, or authenticate with an ``AuthValue``.

    With ``{"Hitchpost": {"SignIn"}}``, an extension of Hitchpost, the values are credentials that a user
    typed. They are checked at the third party first. Status 422: the answer names the wrong values. Status
    424: the third party did not answer.
    """
    account_id, service, document = account_level(), embedded(), body()
    if typed_credentials.is_typed(document):
        with service.database.reading() as connection:
            row = store.find(connection, account_id, account_connector_id)
        return typed_credentials.take(service, account_id, row, document)
    with service.database.writing() as connection:
        row = store.find(connection, account_id, account_connector_id)
        _set(connection, row.id, _plain_values(document))
        properties.put(service, connection, row.id, row.connector_id, document.get("Properties"))
        if (value := text(document, "AuthValue", 16_000)) is not None:
            set_auth_value(connection, row.id, value)
        return answer(
            store.as_json(service, connection, store.find(connection, account_id, account_connector_id))
        )


@routes.delete("/v1.0/account/connectors/<int:account_connector_id>")
@describe.operation(shapes.Message, 404, access=Access.ACCOUNT)
def remove(account_connector_id: int) -> Response:
    """Remove an account connector with its credentials, and revoke its grants at the third party."""
    account_id, service = account_level(), embedded()
    table = tables.account_connector
    with service.database.writing() as connection:
        row = store.find(connection, account_id, account_connector_id)
        revocation_id = revocation.take_out_of_use(service, connection, row)
        noting.throw_away_held(service, connection, table.c.id == row.id)
        connection.execute(delete(table).where(table.c.id == row.id))
    still_to_do = revocation.revoke_now(service, revocation_id)
    audit("disconnected", account=row.account_id, account_connector=row.id)
    return answer({"Message": f"Connector '{row.name}' successfully deleted.{still_to_do}"})


@routes.put("/v1.0/account/connectors/<int:account_connector_id>/deauthenticate")
@describe.operation(shapes.Message, 404, access=Access.ACCOUNT)
def deauthenticate(account_connector_id: int) -> Response:
    """Delete the credentials of an account connector, and revoke their grant at the third party.

    Sign-ins that have begun, and held grants, can no longer connect.
    """
    account_id, service = account_level(), embedded()
    table = tables.account_connector
    with service.database.writing() as connection:
        row = store.find(connection, account_id, account_connector_id)
        revocation_id = revocation.take_out_of_use(service, connection, row)
        noting.throw_away_held(service, connection, table.c.id == row.id)
        _set(connection, row.id, {"ended_at": clock.now()})
    still_to_do = revocation.revoke_now(service, revocation_id)
    audit("disconnected", account=row.account_id, account_connector=row.id)
    return answer({"Message": f"Connector '{row.name}' successfully de-authenticated.{still_to_do}"})


def set_auth_value(connection: Connection, account_connector_id: int, value: str) -> None:
    """Authenticate with an ``AuthValue``: an API key, ``base64(user:password)`` or token JSON."""
    sealed = embedded().vault.seal(
        value, store.sealed_in(store.owner_of(connection, account_connector_id), "auth_value")
    )
    _set(
        connection,
        account_connector_id,
        {
            "auth_value": sealed,
            "authenticated": True,
            "authenticated_at": clock.now(),
            "external_account": None,
            "grant_reason": None,
            "refresh_failures": 0,
            "next_refresh_at": func.coalesce(
                tables.account_connector.c.next_refresh_at, state.tomorrow(), type_=tables.Moment
            ),
        },
    )


def _plain_values(document: dict[str, Any]) -> dict[str, Any]:
    values = {"name": text(document, "Name"), "description": text(document, "Description", 4000)}
    return {column: value for column, value in values.items() if value is not None}


def _set(connection: Connection, account_connector_id: int, values: dict[str, Any]) -> None:
    table = tables.account_connector
    if not values:
        return
    try:
        connection.execute(update(table).where(table.c.id == account_connector_id).values(values))
    except IntegrityError:
        raise ApiError(400, f"Account connector name '{values.get('name')}' is in use.") from None
