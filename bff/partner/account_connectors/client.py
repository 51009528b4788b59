"""As which client an account connector is known to its third party, and the values in that one's URLs."""

from __future__ import annotations

from collections.abc import Mapping

from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Client


def values_for(item: CatalogueConnector, properties_set: Mapping[str, str]) -> dict[str, str]:
    """Those of an account's properties that the entry asks for: no own app's secret is among them."""
    names = {entry.name for entry in item.asked}
    return {name: value for name, value in properties_set.items() if name in names}


def client_of(item: CatalogueConnector, values: Mapping[str, str]) -> Client:
    """The account's own app where its properties (``values``) name one, else the catalogue's."""
    if "ClientId" in values:
        return Client(values["ClientId"], values.get("ClientSecret"))
    if item.auth == "client_credentials" and "client_id" in values:
        return Client(values["client_id"], values.get("client_secret"))
    return Client(item.client_id or "", item.client_secret)
