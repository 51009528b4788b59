"""Tries what a user typed at the third party, before it counts as connected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flask import json

from bff.partner.account_connectors.client import values_for
from bff.partner.account_names import kept_name
from bff.partner.context import Embedded
from bff.partner.grants import key_check
from bff.partner.providers import templates, transport
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Client, Credentials
from bff.partner.providers.dotted import text_at
from bff.partner.providers.provider import UNFIT, ProviderFailed

REFUSED, NO_ANSWER = 422, 424
_BUSY: Final = frozenset({408, 425, 429})
_STANDARD: Final = {
    "api_key": ("api_key",),
    "basic": ("username", "password"),
    "client_credentials": ("client_id", "client_secret"),
}
"""What each way of signing in consists of, by the names that the catalogue's check may mention."""


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
    """Everything that the texts of the catalogue may name. Raises ``NotTaken``."""
    try:
        return key_check.values_of(item, properties, auth_value)
    except key_check.Unreadable as error:
        raise NotTaken(REFUSED, {}, str(error)) from None


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
    if not item.needs_no_user:
        return Tried(_check(service, item, values) if item.check else None)
    credentials, document = _client_credentials(service, item, values)
    known = {**values, "access_token": credentials.access_token}
    account = _check(service, item, known) if item.check else None
    found = service.provider.in_a_hurry().identify(item, credentials, document)
    return Tried(account or found.account, found.credentials)


def _client_credentials(
    service: Embedded, item: CatalogueConnector, values: Mapping[str, str]
) -> tuple[Credentials, Any]:
    client, provider = Client(values["client_id"], values["client_secret"]), service.provider.in_a_hurry()
    try:
        return provider.client_credentials(item, client, values_for(item, values))
    except ProviderFailed as failure:
        status = failure.said.status if failure.said else None
        if failure.error == UNFIT:
            names = [one.name for one in item.fields]
            raise NotTaken(REFUSED, dict.fromkeys(names[:1], "pattern"), "A value does not fit.") from None
        if status is None or status >= 500 or status in _BUSY:
            raise _unreachable(failure.error, _in_host(item, item.token_url or "")) from None
        raise _refused(item, status) from None


def _check(service: Embedded, item: CatalogueConnector, values: Mapping[str, str]) -> str | None:
    try:
        reply = key_check.ask(service, item, values)
    except templates.Unfit as unfit:
        names = _STANDARD["basic"] if unfit.name == "basic" else (unfit.name,)
        raise NotTaken(REFUSED, dict.fromkeys(names, "pattern"), str(unfit)) from None
    except transport.NoReply as error:
        raise _unreachable(error.code, _in_host(item, item.check.url if item.check else "")) from None
    if reply.status >= 500 or reply.status in _BUSY:
        raise _unreachable(f"it answered {reply.status}", {})
    if not 200 <= reply.status < 300:
        raise _refused(item, reply.status)
    if key_check.error_of(item, reply):
        # Its words are told to nobody: they may repeat the key.
        raise _refused(item, f"{reply.status} with an error")
    return kept_name(_claim(item.account_claim, reply.body))


def _in_host(item: CatalogueConnector, url: str) -> dict[str, str]:
    """The fields by which the user named the host, which may be what is wrong where nothing answers."""
    host = url.partition("://")[2].partition("/")[0] or url
    names = templates.names_in(host)
    return {one.name: "unreachable" for one in item.fields if one.name in names}


def _claim(path: str, body: bytes) -> str | None:
    """Whose account it is, by the dotted path of the catalogue; None where the answer does not say."""
    try:
        return text_at(json.loads(body), path)
    except (ValueError, RecursionError):
        return None


def _refused(item: CatalogueConnector, status: int | str | None) -> NotTaken:
    names = _STANDARD.get(item.auth, ())
    said = f"The third party refused them: it answered {status}."
    return NotTaken(REFUSED, dict.fromkeys(names[-1:], "refused"), said)


def _unreachable(why: str | int, fields: Mapping[str, str]) -> NotTaken:
    return NotTaken(NO_ANSWER, fields, f"The third party could not try them: {why}.")
