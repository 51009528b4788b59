"""API routes of the connector catalogue, and the installation of a connector in an account."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, request

from bff.partner.access import (
    ACCOUNT_HEADER,
    account_level,
    answer,
    body,
    ordered,
    page_of,
    partner_level,
    text,
)
from bff.partner.account_connectors import properties, store
from bff.partner.api import account_connectors
from bff.partner.context import embedded
from bff.partner.errors import missing
from bff.partner.openapi import describe, shapes
from bff.partner.openapi.describe import Access, ListOf
from bff.partner.providers import api_json
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.entries import AskedField

routes = Blueprint("connectors", __name__)

ONE: Final = "/v1.0/connectors/{connector}"
"""One path in the OpenAPI document for two routes: by id and by name."""


@routes.get("/v1.0/connectors")
@describe.operation(
    ListOf(shapes.Connector),
    404,
    access=Access.ACCOUNT,
    query={"query": "Selects the connectors whose name contains it."},
)
def list_all() -> Response:
    """List the connectors of the catalogue.

    ``query`` selects those whose name contains it.
    """
    _require_access()
    query = request.args.get("query", "").casefold()
    connectors = [item for item in embedded().catalogue.connectors if query in item.name.casefold()]
    return page_of(ordered([_document(item) for item in connectors], "Name"))


@routes.get("/v1.0/connectors/<int:connector_id>")
@describe.operation(
    {"oneOf": [shapes.Connector, {"type": "array", "items": {}}]}, 404, access=Access.ACCOUNT, path=ONE
)
def read(connector_id: int) -> Response:
    """Read a connector by its id."""
    _require_access()
    return answer(_document(_by_id(connector_id)))


@routes.get("/v1.0/connectors/<name>")
@routes.get("/v1.0/connectors/<name>/<version>")
@describe.operation(
    {"type": "array", "items": shapes.Connector}, 404, access=Access.ACCOUNT, path=ONE + "/{version}"
)
def read_by_name(name: str, version: str | None = None) -> Response:
    """List the connectors with a name, as Cyclr does."""
    _require_access()
    return answer([_document(item) for item in _by_name(name, version)])


@routes.post("/v1.0/connectors/<int:connector_id>/install")
@describe.operation(
    shapes.AccountConnector, 404, access=Access.ACCOUNT, body=shapes.ConnectorChange, path=ONE + "/install"
)
def install(connector_id: int) -> Response:
    """Install a connector in the account."""
    return _install(account_level(), _by_id(connector_id))


@routes.post("/v1.0/connectors/<name>/install")
@routes.post("/v1.0/connectors/<name>/<version>/install")
@describe.operation(
    shapes.AccountConnector,
    404,
    access=Access.ACCOUNT,
    body=shapes.ConnectorChange,
    path=ONE + "/{version}/install",
)
def install_by_name(name: str, version: str | None = None) -> Response:
    """Install a connector in the account, by the connector's name."""
    return _install(account_level(), _by_name(name, version)[0])


def _require_access() -> None:
    """Allow existing accounts, and the partner without an account. Raises ``ApiError``."""
    if ACCOUNT_HEADER in request.headers:
        account_level()
    else:
        partner_level()


def _install(account_id: str, item: CatalogueConnector) -> Response:
    store.refuse_draft(item, 400)
    service, document = embedded(), body()
    name = text(document, "Name") or item.name
    with service.database.writing() as connection:
        account_connector_id = store.add(
            connection, account_id, item.id, name, text(document, "Description", 4000)
        )
        properties.put(service, connection, account_connector_id, item.id, document.get("Properties"))
        if (value := text(document, "AuthValue", 16_000)) is not None:
            account_connectors.set_auth_value(connection, account_connector_id, value)
        return answer(
            store.as_json(service, connection, store.find(connection, account_id, account_connector_id))
        )


def _by_id(connector_id: int) -> CatalogueConnector:
    item = embedded().catalogue.by_id(connector_id)
    if item is None:
        raise missing("Connector")
    return item


def _by_name(name: str, version: str | None) -> list[CatalogueConnector]:
    connectors = embedded().catalogue.by_name(name, version)
    if not connectors:
        raise missing("Connector")
    return connectors


def _document(item: CatalogueConnector) -> dict[str, Any]:
    choices = {one.name: list(one.choices or ()) for one in item.fields}
    parameters: list[dict[str, Any]] = [
        {
            "IsAccountConnectorProperty": True,
            "TargetType": "AccountConnectorProperty",
            "TargetName": parameter.name,
            "IsSensitive": parameter.sensitive,
            "Id": number,
            "Name": parameter.name,
            "Description": parameter.description,
            "IsOptional": parameter.optional,
            "DataType": "Text",
            "TriggerName": None,
            "Values": choices.get(parameter.name, []),
        }
        for number, parameter in enumerate(item.user_fields, start=1)
    ]
    return {
        **api_json.connector(item),
        "Parameters": parameters,
        "Authentication": [],
        "Categories": [],
        "Triggers": [],
        "IsSystemConnector": False,
        "Hitchpost": {"Auth": item.auth, "Fields": [_field_document(one) for one in item.fields]},
    }


def _field_document(one: AskedField) -> dict[str, Any]:
    return {
        "Name": one.name,
        "Label": one.label,
        "Pattern": one.pattern,
        "Choices": [{"Value": value, "Label": label} for value, label in (one.choices or {}).items()],
        "Prefix": one.prefix,
        "Suffix": one.suffix,
        "Help": one.help,
        "HelpUrl": one.help_url,
        "Sensitive": one.sensitive,
        "Optional": one.optional,
    }
