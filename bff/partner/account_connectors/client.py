"""The OAuth client of an account connector, and the property values for the third party's URLs."""

from __future__ import annotations

from collections.abc import Mapping

from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Client


def values_for(item: CatalogueConnector, properties_set: Mapping[str, str]) -> dict[str, str]:
    """The properties that the catalogue entry asks for. They never include the secret of an own app."""
    names = {entry.name for entry in item.user_fields}
    return {name: value for name, value in properties_set.items() if name in names}


def client_of(item: CatalogueConnector, values: Mapping[str, str]) -> Client:
    """The client in the account's properties (``values``); without one, the catalogue's client."""
    if "ClientId" in values:
        return Client(values["ClientId"], values.get("ClientSecret"))
    if item.auth == "client_credentials" and "client_id" in values:
        return Client(values["client_id"], values.get("client_secret"))
    return Client(item.client_id or "", item.client_secret)


def client_of_grant(issued_to: Client | None, current: Client) -> Client:
    """The client that a grant was issued to, with today's secret if it is still the account connector's.

    No other client can refresh or revoke the grant (RFC 6749, section 5.2: "issued to another client").
    ``issued_to``: the client stored with the grant, if any. ``current``: the account connector's client.
    """
    return current if issued_to is None or issued_to.id == current.id else issued_to


def may_be_same(one: Client | None, other: Client | None) -> bool:
    """Whether refresh tokens of one client can be used by the other. Assumed if a client was not recorded."""
    return one is None or other is None or one.id == other.id
