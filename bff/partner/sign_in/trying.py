"""Tries what a user typed at the third party, before it counts as connected."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flask import json

from bff.partner.account_names import kept_name
from bff.partner.context import Embedded
from bff.partner.providers import templates, transport
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.provider import IN_A_HURRY, Client, Credentials, ProviderFailed

REFUSED, NO_ANSWER = 422, 424
_BUSY: Final = frozenset({408, 425, 429})
_STANDARD: Final = {
    "api_key": ("api_key",),
    "basic": ("username", "password"),
    "client_credentials": ("client_id", "client_secret"),
}
"""What each way of signing in consists of, by the names that the catalogue's check may mention."""
_OURS: Final = "third_party_"
"""How the code of an answer begins that did not come, or is none."""


class NotTaken(Exception):
    """The values are wrong (422), or could not be tried as the third party did not answer (424).

    ``fields`` has a word for each field that it is about: ``missing``, ``pattern``, ``refused`` or
    ``unreachable``; none where it is about all of them.
    """

    def __init__(self, status: int, fields: Mapping[str, str], message: str) -> None:
        super().__init__(message)
        self.status = status
        self.fields = dict(fields)
        self.message = message


@dataclass(frozen=True)
class Tried:
    """Whose account it is, where the third party says so, and the grant that a client got."""

    account: str | None = None
    credentials: Credentials | None = field(default=None, repr=False)


def values_of(
    item: CatalogueConnector, properties: Mapping[str, str], auth_value: str | None
) -> dict[str, str]:
    """Everything that the texts of the catalogue may name, from what the API was given."""
    values = dict(properties)
    if item.auth == "api_key" and auth_value:
        values["api_key"] = auth_value
    if item.auth == "basic" and auth_value:
        values["basic"] = auth_value
        try:
            user, _, password = base64.b64decode(auth_value, validate=True).decode().partition(":")
        except ValueError:
            raise NotTaken(REFUSED, {}, "AuthValue must be base64 of username:password.") from None
        values |= {"username": user, "password": password}
    if item.auth == "client_credentials":
        values |= {
            "client_id": values.get("ClientId", ""),
            "client_secret": values.get("ClientSecret", ""),
        }
    return values


def require_complete(item: CatalogueConnector, values: Mapping[str, str]) -> None:
    """Raises ``NotTaken`` naming every value that is missing, or does not match its pattern."""
    optional = {one.name for one in item.asked if one.optional}
    names = [one.name for one in item.asked] + list(_STANDARD.get(item.auth, ()))
    faults = {name: "missing" for name in names if name not in optional and not values.get(name)}
    for one in item.fields:
        if (value := values.get(one.name)) and not one.accepts(value):
            faults[one.name] = "pattern"
    if faults:
        raise NotTaken(REFUSED, faults, f"Not as it should be: {', '.join(sorted(faults))}.")


def attempt(service: Embedded, item: CatalogueConnector, values: Mapping[str, str]) -> Tried:
    """Try them, as far as the catalogue says how. Raises ``NotTaken``."""
    credentials = None
    if item.auth == "client_credentials":
        credentials = _client_credentials(service, item, values)
        values = {**values, "access_token": credentials.access_token}
    account = _check(service, item, values) if item.check else None
    return Tried(account, credentials)


def _client_credentials(
    service: Embedded, item: CatalogueConnector, values: Mapping[str, str]
) -> Credentials:
    client = Client(values["client_id"], values["client_secret"])
    try:
        return service.provider.in_a_hurry().client_credentials(item, client)
    except ProviderFailed as failure:
        if failure.error.startswith((_OURS, "token_endpoint_answered_5")):
            raise _unreachable({}) from None
        raise _refused(item) from None


def _check(service: Embedded, item: CatalogueConnector, values: Mapping[str, str]) -> str | None:
    check = item.check
    assert check is not None  # nosec B101  # for the type checker
    try:
        url = item.url(check.url, dict(values))
        headers = {name: templates.fill_header(text, values) for name, text in check.headers.items()}
    except templates.Unfit as unfit:
        names = _STANDARD["basic"] if unfit.name == "basic" else (unfit.name,)
        raise NotTaken(REFUSED, dict.fromkeys(names, "pattern"), str(unfit)) from None
    try:
        reply = transport.send(service.provider.policy, check.method, url, headers=headers, limits=IN_A_HURRY)
    except transport.NoReply:
        # Where the user named the host, that may be what is wrong.
        named = [one.name for one in item.fields if one.name in templates.names_in(_host(check.url))]
        raise _unreachable(dict.fromkeys(named, "unreachable")) from None
    if reply.status >= 500 or reply.status in _BUSY:
        raise _unreachable({})
    if not 200 <= reply.status < 300:
        raise _refused(item)
    return kept_name(_claim(item.account_claim, reply.body))


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0] or url


def _claim(path: str, body: bytes) -> str | None:
    """Whose account it is, by the dotted path of the catalogue; None where the answer does not say."""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for name in path.split("."):
        if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        elif isinstance(found, dict):
            found = found.get(name)
        else:
            return None
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else None


def _refused(item: CatalogueConnector) -> NotTaken:
    names = _STANDARD.get(item.auth, ())
    return NotTaken(REFUSED, dict.fromkeys(names[-1:], "refused"), "The third party refused them.")


def _unreachable(fields: Mapping[str, str]) -> NotTaken:
    return NotTaken(NO_ANSWER, fields, "The third party did not answer, so they could not be tried.")
