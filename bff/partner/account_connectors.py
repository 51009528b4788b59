"""Account connectors over the API: list, read, change, remove, de-authenticate."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from sqlalchemy import Connection, delete, update
from sqlalchemy.exc import IntegrityError

from bff.partner import account_connector_store as store
from bff.partner import clock, properties, tables
from bff.partner.api import account_level, answer, body, ordered, page_of, text
from bff.partner.context import embedded
from bff.partner.errors import ApiError

routes = Blueprint("account_connectors", __name__)


@routes.get("/v1.0/account/connectors")
def list_all() -> Response:
    """What is installed in the account."""
    account_id, service = account_level(), embedded()
    with service.database.reading() as connection:
        rows = store.find_all(connection, account_id)
        return page_of(ordered([store.told(service, connection, row) for row in rows]))


@routes.get("/v1.0/account/connectors/<int:account_connector_id>")
def read(account_connector_id: int) -> Response:
    """One account connector."""
    account_id, service = account_level(), embedded()
    with service.database.reading() as connection:
        row = store.find(connection, account_id, account_connector_id)
        return answer(store.told(service, connection, row))


@routes.put("/v1.0/account/connectors/<int:account_connector_id>")
def change(account_connector_id: int) -> Response:
    """Change its name, description, properties, or authenticate it by an ``AuthValue``."""
    account_id, service, document = account_level(), embedded(), body()
    with service.database.writing() as connection:
        row = store.find(connection, account_id, account_connector_id)
        _set(connection, row.id, _plain_values(document))
        properties.put(service, connection, row.id, row.connector_id, document.get("Properties"))
        if (value := text(document, "AuthValue", 16_000)) is not None:
            set_auth_value(connection, row.id, value)
        return answer(
            store.told(service, connection, store.find(connection, account_id, account_connector_id))
        )


@routes.delete("/v1.0/account/connectors/<int:account_connector_id>")
def remove(account_connector_id: int) -> Response:
    """Remove it, credentials and all."""
    account_id = account_level()
    table = tables.account_connector
    with embedded().database.writing() as connection:
        row = store.find(connection, account_id, account_connector_id)
        connection.execute(delete(table).where(table.c.id == row.id))
    return answer({"Message": f"Connector '{row.name}' successfully deleted."})


@routes.put("/v1.0/account/connectors/<int:account_connector_id>/deauthenticate")
def deauthenticate(account_connector_id: int) -> Response:
    """Forget its credentials."""
    account_id = account_level()
    nothing = {
        "authenticated": False,
        "authenticated_at": None,
        "auth_value": None,
        "credentials": None,
        "external_account": None,
    }
    with embedded().database.writing() as connection:
        row = store.find(connection, account_id, account_connector_id)
        _set(connection, row.id, nothing)
    return answer({"Message": f"Connector '{row.name}' successfully de-authenticated."})


def set_auth_value(connection: Connection, account_connector_id: int, value: str) -> None:
    """Authenticate by a value that the caller brings (API key, ``base64(user:password)``, token JSON)."""
    sealed = embedded().vault.seal(value, store.sealed_in(account_connector_id, "auth_value"))
    _set(
        connection,
        account_connector_id,
        {
            "auth_value": sealed,
            "authenticated": True,
            "authenticated_at": clock.now(),
            "external_account": None,
        },
    )


def _plain_values(document: dict[str, Any]) -> dict[str, Any]:
    given = {"name": text(document, "Name"), "description": text(document, "Description", 4000)}
    return {column: value for column, value in given.items() if value is not None}


def _set(connection: Connection, account_connector_id: int, values: dict[str, Any]) -> None:
    table = tables.account_connector
    if not values:
        return
    try:
        connection.execute(update(table).where(table.c.id == account_connector_id).values(values))
    except IntegrityError:
        raise ApiError(400, f"Account connector name '{values.get('name')}' is in use.") from None
