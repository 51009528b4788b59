"""The properties of an account connector: what is asked of an account, and what it brings of its own."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, insert, update

from bff.partner.access import text
from bff.partner.account_connectors import store
from bff.partner.context import Embedded
from bff.partner.errors import ApiError
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.catalogue_faults import OWN_APP
from bff.partner.storage import tables

MOST_AT_ONCE: Final = 100


def put(
    service: Embedded, connection: Connection, account_connector_id: int, connector_id: int, given: Any
) -> None:
    """Set each of ``given`` (``{"Name", "Value"}``) by its name. Raises 400 for a name that is none."""
    item = service.catalogue.by_id(connector_id)
    owner = store.owner_of(connection, account_connector_id)
    if isinstance(given, list) and len(given) > MOST_AT_ONCE:
        raise ApiError(400, f"At most {MOST_AT_ONCE} properties are set at once.")
    for entry in given if isinstance(given, list) else []:
        name = text(entry, "Name") if isinstance(entry, dict) else None
        if name is None or item is None or name not in _known(item):
            raise ApiError(400, f"There is not a connector property that matches name '{name or ''}'.")
        value = text(entry, "Value", 4000) or ""
        require_fit(item, name, value)
        sealed = service.vault.seal(value, store.property_in(owner, name))
        table = tables.property_value
        ours = (table.c.account_connector_id == account_connector_id) & (table.c.name == name)
        if connection.execute(update(table).where(ours).values(value=sealed)).rowcount == 0:
            values = {"account_connector_id": account_connector_id, "name": name, "value": sealed}
            connection.execute(insert(table).values(values))


def values_of(service: Embedded, connection: Connection, account_connector_id: int) -> dict[str, str]:
    """The properties that are set, by name."""
    told = store.told_properties(service, connection, account_connector_id)
    return {item["Name"]: item["Value"] for item in told if item["Value"]}


def unset(item: CatalogueConnector, values: dict[str, str]) -> list[str]:
    """The required properties that have no value, or one that is a choice no more."""
    gone = {one.name for one in item.fields if one.choices and not one.accepts(values.get(one.name, ""))}
    return [
        need.name
        for need in item.asked
        if not need.optional and (need.name not in values or need.name in gone)
    ]


def _known(item: CatalogueConnector) -> set[str]:
    return {parameter.name for parameter in item.asked} | set(OWN_APP)


def require_fit(item: CatalogueConnector, name: str, value: str) -> None:
    """Raises 400 for a value that is none of those that the catalogue allows for this property."""
    for field in item.fields:
        if field.name != name or not value or field.accepts(value):
            continue
        if field.choices:
            raise ApiError(400, f"The value of property '{name}' is none of: {', '.join(field.choices)}.")
        raise ApiError(400, f"The value of property '{name}' does not match its pattern.")
