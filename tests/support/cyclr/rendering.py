"""The JSON of Cyclr's API, as its documentation shows it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from tests.support.cyclr.control import Cyclr, Installed, Release


def connector(cyclr: Cyclr, release: Release) -> dict[str, Any]:
    """A catalogue entry, with its icon inline."""
    authentication = {
        "Id": f"00000000-0000-4000-8000-{release.id:012d}",
        "AuthName": None,
        "AuthDescription": None,
        "AuthType": release.auth_type,
        "OAuth2Type": release.oauth2_type,
        "AuthScheme": None,
    }
    return {
        "Id": release.id,
        "Name": release.name,
        "Description": f"{release.name} (release)",
        "Status": release.status,
        "Version": release.version,
        "Icon": icon(cyclr),
        "AuthDescription": release.auth_description,
        "AuthType": release.auth_type,
        "OAuth2Type": release.oauth2_type,
        "AuthScheme": None,
        "Authentication": [authentication],
        "Parameters": [
            _parameter(number, name, release.values.get(name, ()), sensitive=name in release.keys)
            for number, name in enumerate(release.needed, 1)
        ],
        "Categories": [],
    }


def installed(
    cyclr: Cyclr, item: Installed, *, listed: bool = False, changed: bool = False
) -> dict[str, Any]:
    """An account connector; in a list, or after a change, ``Authenticated`` may be missing."""
    document = {
        "Id": item.id,
        "Name": item.name,
        "Description": None,
        "AuthValue": item.auth_value,
        "Authenticated": item.authenticated,
        "Connector": connector(cyclr, item.release),
        "IsPartnerIntegrationConnector": False,
        "Properties": properties(item),
        "CustomFields": [],
    }
    habits = cyclr.habits
    if (listed and not habits.lists_say_authenticated) or (changed and not habits.changes_say_authenticated):
        del document["Authenticated"]
    return document


def properties(item: Installed) -> list[dict[str, Any]]:
    """What is set on an account connector."""
    return [
        {"Name": name, "Value": value, "Id": number, "AccountConnectorId": item.id}
        for number, (name, value) in enumerate(item.properties.items(), 1)
    ]


def icon(cyclr: Cyclr) -> str | None:
    """An inline picture of ``icon_bytes`` bytes."""
    if not cyclr.habits.icon_bytes:
        return None
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG" * (cyclr.habits.icon_bytes // 4)).decode()


def _parameter(number: int, name: str, values: Sequence[str], *, sensitive: bool) -> dict[str, Any]:
    return {
        "IsAccountConnectorProperty": True,
        "TargetType": "Header",
        "TargetName": name,
        "IsSensitive": sensitive,
        "Id": number,
        "Name": name,
        "Description": None,
        "IsOptional": False,
        "DataType": "text",
        "TriggerName": None,
        "Values": list(values),
    }
