"""Serialises catalogue entries for the API."""

from __future__ import annotations

from typing import Any, Final

from bff.partner.providers.entries import CatalogueConnector

AUTH_TYPES: Final = {
    "oauth2": "OAuth2",
    "client_credentials": "OAuth2",
    "api_key": "ApiKey",
    "basic": "Basic",
    "none": "None",
}
GRANTS: Final = {"authorization_code": "AuthorisationCode", "client_credentials": "ClientCredentials"}


def connector(item: CatalogueConnector) -> dict[str, Any]:
    """The JSON of a catalogue entry inside an account connector."""
    return {
        "Id": item.id,
        "Name": item.name,
        "Description": item.description,
        "Status": item.status,
        "Version": item.version,
        "Icon": item.icon,
        "AuthDescription": None,
        "AuthType": AUTH_TYPES[item.auth],
        "OAuth2Type": _oauth2_type(item),
        "AuthScheme": None,
    }


def _oauth2_type(item: CatalogueConnector) -> str:
    if AUTH_TYPES[item.auth] != "OAuth2":
        return "Unknown"
    return GRANTS["client_credentials" if item.needs_no_user else item.grant]
