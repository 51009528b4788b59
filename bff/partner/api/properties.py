"""API routes of the properties of an account connector, such as a sub-domain or a client id."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response
from pydantic import BaseModel
from sqlalchemy import Connection, delete, select, update

from bff.partner.access import account_level, answer, body, ordered, page_of, text
from bff.partner.account_connectors import properties, store
from bff.partner.context import embedded
from bff.partner.errors import missing
from bff.partner.openapi import describe, shapes
from bff.partner.openapi.describe import Access, ListOf
from bff.partner.storage import tables

routes = Blueprint("properties", __name__)

_ALL: Final = "/v1.0/account/connectors/<int:account_connector_id>/properties"
_ONE: Final = _ALL + "/<int:property_id>"


class PropertyValue(BaseModel):
    """The new value of a property."""

    Value: shapes.LongText = ""


@routes.get(_ALL)
@describe.operation(ListOf(shapes.Property), 404, access=Access.ACCOUNT)
def list_all(account_connector_id: int) -> Response:
    """List the properties of an account connector."""
    account_id = account_level()
    with embedded().database.reading() as connection:
        store.find(connection, account_id, account_connector_id)
        documents = store.property_documents(embedded(), connection, account_connector_id)
    return page_of(ordered(documents))


@routes.post(_ALL)
@describe.operation(shapes.Property, 404, access=Access.ACCOUNT, body=shapes.NewProperty)
def create(account_connector_id: int) -> Response:
    """Set a property of this name."""
    account_id, document = account_level(), body()
    with embedded().database.writing() as connection:
        row = store.find(connection, account_id, account_connector_id)
        properties.put(embedded(), connection, row.id, row.connector_id, [document])
        name = text(document, "Name")
        documents = store.property_documents(embedded(), connection, row.id)
    return answer(next(item for item in documents if item["Name"] == name))


@routes.get(_ONE)
@describe.operation(shapes.Property, 404, access=Access.ACCOUNT)
def read(account_connector_id: int, property_id: int) -> Response:
    """Read one property."""
    account_id = account_level()
    with embedded().database.reading() as connection:
        store.find(connection, account_id, account_connector_id)
        return answer(_document_of(connection, account_connector_id, property_id))


@routes.put(_ONE)
@describe.operation(shapes.Property, 404, access=Access.ACCOUNT, body=PropertyValue)
def change(account_connector_id: int, property_id: int) -> Response:
    """Change the value of a property."""
    account_id, document = account_level(), body()
    value = text(document, "Value", 4000)
    with embedded().database.writing() as connection:
        row = store.find(connection, account_id, account_connector_id)
        name = _document_of(connection, account_connector_id, property_id)["Name"]
        if value is not None:
            if item := embedded().catalogue.by_id(row.connector_id):
                properties.require_fit(item, name, value)
            owner = store.owner_of(connection, account_connector_id)
            sealed = embedded().vault.seal(value, store.property_in(owner, name))
            table = tables.property_value
            connection.execute(update(table).where(table.c.id == property_id).values(value=sealed))
        return answer(_document_of(connection, account_connector_id, property_id))


@routes.delete(_ONE)
@describe.operation(shapes.Message, 404, access=Access.ACCOUNT)
def remove(account_connector_id: int, property_id: int) -> Response:
    """Delete a property."""
    account_id = account_level()
    with embedded().database.writing() as connection:
        store.find(connection, account_id, account_connector_id)
        _document_of(connection, account_connector_id, property_id)
        connection.execute(delete(tables.property_value).where(tables.property_value.c.id == property_id))
    return answer({"Message": "Property successfully deleted."})


def _document_of(connection: Connection, account_connector_id: int, property_id: int) -> dict[str, Any]:
    table = tables.property_value
    wanted = select(table.c.id).where(
        table.c.id == property_id, table.c.account_connector_id == account_connector_id
    )
    if property_id > tables.LAST_ID or connection.execute(wanted).first() is None:
        raise missing("Property")
    documents = store.property_documents(embedded(), connection, account_connector_id)
    return next(item for item in documents if item["Id"] == property_id)
