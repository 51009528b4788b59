"""The properties of an account connector: fields of the catalogue entry, and the client of an own app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, update

from bff.partner.access import text
from bff.partner.account_connectors import store
from bff.partner.context import Embedded
from bff.partner.crypto import CannotOpen
from bff.partner.errors import ApiError
from bff.partner.providers import templates
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.catalogue_faults import BUILT_IN, OWN_APP, urls_of
from bff.partner.storage import tables
from bff.partner.storage.database import insert_unless_there

MOST_AT_ONCE: Final = 100


def put(
    service: Embedded, connection: Connection, account_connector_id: int, connector_id: int, entries: Any
) -> None:
    """Set each of ``entries`` (``{"Name", "Value"}``) by its name.

    Raises ``ApiError`` (400) for an unknown name, an invalid value or too many properties.
    """
    item = service.catalogue.by_id(connector_id)
    owner = store.owner_of(connection, account_connector_id)
    if isinstance(entries, list) and len(entries) > MOST_AT_ONCE:
        raise ApiError(400, f"At most {MOST_AT_ONCE} properties are set at once.")
    for entry in entries if isinstance(entries, list) else []:
        name = text(entry, "Name") if isinstance(entry, dict) else None
        if name is None or item is None or name not in _known(item):
            raise ApiError(400, f"There is not a connector property that matches name '{name or ''}'.")
        value = text(entry, "Value", 4000) or ""
        require_fit(item, name, value)
        sealed = service.vault.seal(value, store.property_in(owner, name))
        table = tables.property_value
        condition = (table.c.account_connector_id == account_connector_id) & (table.c.name == name)
        change = update(table).where(condition).values(value=sealed)
        if connection.execute(change).rowcount == 0:
            row = {"account_connector_id": account_connector_id, "name": name, "value": sealed}
            insert_unless_there(connection, table, row)
            # Another transaction may have inserted it in the meantime.
            connection.execute(change)


def values_of(service: Embedded, connection: Connection, account_connector_id: int) -> dict[str, str]:
    """The properties with a value, by name. Raises ``CannotOpen``."""
    documents = store.property_documents(service, connection, account_connector_id)
    for item in documents:
        if item["Value"] is None:
            raise CannotOpen(f"property {item['Id']} does not open")
    return _by_name(documents)


def readable_values_of(
    service: Embedded, connection: Connection, account_connector_id: int
) -> dict[str, str]:
    """The same without those that cannot be decrypted: for one that sets them anew."""
    return _by_name(store.property_documents(service, connection, account_connector_id))


def _by_name(documents: list[dict[str, Any]]) -> dict[str, str]:
    return {item["Name"]: item["Value"] for item in documents if item["Value"]}


def forget_secrets(service: Embedded, connection: Connection, row: Row[Any]) -> None:
    """Delete the properties of an account connector (``row``) that are credentials, or a part of them."""
    item, table = service.catalogue.by_id(row.connector_id), tables.property_value.c
    if item is not None:
        condition = (table.account_connector_id == row.id) & table.name.in_(_secrets(item))
        connection.execute(delete(tables.property_value).where(condition))


def _secrets(item: CatalogueConnector) -> set[str]:
    """The names of the properties that end with a connection."""
    if item.auth == "oauth2":
        # The account's own app, and what else the host's server has set, stays for the next sign-in.
        return {field.name for field in item.fields if field.sensitive}
    return {field.name for field in item.user_fields if field.sensitive} | {*OWN_APP, *BUILT_IN[item.auth]}


def secrets_of_another_host(
    item: CatalogueConnector, stored: Mapping[str, str], typed: Mapping[str, str]
) -> set[str]:
    """The names of the stored secrets that must not be sent to the host that a user typed.

    A user may change the host, but need not know the secrets. These are for the stored host only.
    """
    in_host = {name for _, url in urls_of(item) for name in templates.names_in_origin(url)}
    if all(typed[name] == stored.get(name) for name in in_host & typed.keys()):
        return set()
    secrets = {field.name for field in item.user_fields if field.sensitive}
    if item.auth == "client_credentials":
        secrets.add("ClientSecret")
    return (secrets & stored.keys()) - typed.keys()


def unset(item: CatalogueConnector, values: dict[str, str]) -> list[str]:
    """The required properties without a value, or with a choice that the entry no longer offers."""
    invalid = {one.name for one in item.fields if one.choices and not one.accepts(values.get(one.name, ""))}
    return [
        field.name
        for field in item.user_fields
        if not field.optional and (field.name not in values or field.name in invalid)
    ]


def _known(item: CatalogueConnector) -> set[str]:
    return {parameter.name for parameter in item.user_fields} | set(OWN_APP)


def require_fit(item: CatalogueConnector, name: str, value: str) -> None:
    """Raise ``ApiError`` (400) if the catalogue entry does not allow this value of the property."""
    for field in item.fields:
        if field.name != name or not value or field.accepts(value):
            continue
        if field.choices:
            raise ApiError(400, f"The value of property '{name}' is none of: {', '.join(field.choices)}.")
        raise ApiError(400, f"The value of property '{name}' does not match its pattern.")
