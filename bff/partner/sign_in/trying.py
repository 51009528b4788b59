"""Checks typed credentials at the third party before they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bff.partner.account_connectors.client import values_for
from bff.partner.account_names import kept_name
from bff.partner.context import Embedded
from bff.partner.grants import key_check, revocation
from bff.partner.grants.noting import Owner
from bff.partner.providers import refusals, templates, transport
from bff.partner.providers.answers import PARTIAL, is_success, json_of
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Client, Credentials
from bff.partner.providers.dotted import text_at
from bff.partner.providers.provider import Provider, ProviderFailed
from bff.partner.providers.said import UNFIT, code_of

REFUSED, NO_ANSWER = 422, 424
_NOBODY: Final = frozenset({*range(300, 400), 404, 410})
"""Statuses of a shared domain for a host that is nobody's: it redirects to its web site, or finds nothing."""
_STANDARD: Final = {
    "api_key": ("api_key",),
    "basic": ("username", "password"),
    "client_credentials": ("client_id", "client_secret"),
}
"""The values of each authentication type, by their placeholder names in the catalogue's check."""


class NotTaken(Exception):
    """The values are wrong (422), or the third party did not answer (424).

    ``fields`` maps the names of wrong fields to ``missing``, ``pattern``, ``refused`` or ``unreachable``. It
    is empty if no single field is wrong.
    """

    def __init__(self, status: int, fields: Mapping[str, str], message: str) -> None:
        super().__init__(message)
        self.status = status
        self.fields = dict(fields)
        self.message = message


@dataclass(frozen=True)
class Tried:
    """The third-party account, if its name is known, and the grant of a client credentials request."""

    account: str | None = None
    credentials: Credentials | None = field(default=None, repr=False)


def values_of(
    item: CatalogueConnector, properties: Mapping[str, str], auth_value: str | None
) -> dict[str, str]:
    """The values for the placeholders of the catalogue entry. Raises ``NotTaken``."""
    try:
        return key_check.values_of(item, properties, auth_value)
    except key_check.Unreadable as error:
        raise NotTaken(REFUSED, {}, str(error)) from None


def require_complete(item: CatalogueConnector, values: Mapping[str, str]) -> None:
    """Raise ``NotTaken`` with every value that is missing or does not match its pattern."""
    optional = item.optional_names
    names = [one.name for one in item.user_fields] + list(_STANDARD.get(item.auth, ()))
    faults = {name: "missing" for name in names if name not in optional and not values.get(name)}
    for one in item.fields:
        if (value := values.get(one.name)) and not one.accepts(value):
            faults[one.name] = "pattern"
    if faults:
        raise NotTaken(REFUSED, faults, f"Not as it should be: {', '.join(sorted(faults))}.")


def attempt(
    service: Embedded, provider: Provider, owner: Owner, item: CatalogueConnector, values: Mapping[str, str]
) -> Tried:
    """Check the values with the requests that the catalogue entry defines. Raises ``NotTaken``.

    A grant that they obtain for ``owner`` is revoked if it is not returned.
    """
    if not item.needs_no_user:
        return Tried(check(provider, item, values) if item.check else None)
    credentials, document = _client_credentials(service, provider, owner, item, values)
    with revocation.revoked_on_error(service, owner, credentials):
        placeholders = {**values, "access_token": credentials.access_token}
        account = check(provider, item, placeholders) if item.check else None
        identified = provider.identify(item, credentials, document)
    return Tried(account or identified.account, identified.credentials)


def _client_credentials(
    service: Embedded, provider: Provider, owner: Owner, item: CatalogueConnector, values: Mapping[str, str]
) -> tuple[Credentials, Any]:
    client = Client(values["client_id"], values["client_secret"])
    try:
        return provider.client_credentials(item, client, values_for(item, values))
    except ProviderFailed as failure:
        if failure.refused is not None:
            revocation.let_go(service, owner, failure.refused, now=False)
        status = failure.said.status if failure.said else None
        if failure.error == UNFIT:
            names = [one.name for one in item.fields]
            raise NotTaken(REFUSED, dict.fromkeys(names[:1], "pattern"), "A value does not fit.") from None
        verdict, url = refusals.verdict_of(item, failure.error, failure.said), item.token_url or ""
        if verdict == "unclear":
            raise _another_answers(item, url, status) from None
        if verdict == "passing" or not refusals.is_processed(status):
            hosts = _in_host(item, url) if status is None or status >= 500 else {}
            raise _unreachable(failure.error, hosts) from None
        raise _refused(item, status, url) from None


def check(provider: Provider, item: CatalogueConnector, values: Mapping[str, str]) -> str | None:
    """Send the entry's ``check``. Returns the account, if the response names it. Raises ``NotTaken``."""
    url = item.check.url if item.check else ""
    try:
        reply = key_check.ask(provider, item, values)
    except templates.Unfit as unfit:
        names = _STANDARD["basic"] if unfit.name == "basic" else (unfit.name,)
        raise NotTaken(REFUSED, dict.fromkeys(names, "pattern"), str(unfit)) from None
    except transport.NoReply as error:
        raise _unreachable(error.code, _in_host(item, url)) from None
    if key_check.is_busy(reply):
        hosts = _in_host(item, url) if reply.status >= 500 else {}
        raise _unreachable(f"it answered {reply.status}", hosts)
    if reply.status == PARTIAL:
        raise _another_answers(item, url, reply.status)
    if not is_success(reply.status):
        raise _refused(item, reply.status, url)
    fault = key_check.error_of(item, reply)
    if fault == key_check.NOT_UNDERSTOOD:
        raise _another_answers(item, url, reply.status)
    if fault and code_of(fault) in refusals.PASSING:
        raise _unreachable("it reported a temporary failure", {})
    if fault:
        # The error text is not reported, because it may contain the key.
        raise _refused(item, f"{reply.status} with an error", url)
    return kept_name(text_at(json_of(reply), item.account_claim))


def _in_host(item: CatalogueConnector, url: str, fault: str = "unreachable") -> dict[str, str]:
    """The fields that are part of the host name, which may be wrong if nothing else answers there."""
    host = url.partition("://")[2].partition("/")[0] or url
    names = templates.names_in(host)
    return {one.name: fault for one in item.fields if one.name in names}


def _refused(item: CatalogueConnector, status: int | str | None, url: str) -> NotTaken:
    """The third party refused the key; or the host is that of nobody, if its status may mean that."""
    names = _STANDARD.get(item.auth, ())
    hosts = _in_host(item, url, "refused") if status in _NOBODY else {}
    message = f"The third party refused them: it answered {status}."
    return NotTaken(REFUSED, {**hosts, **dict.fromkeys(names[-1:], "refused")}, message)


def _another_answers(item: CatalogueConnector, url: str, status: int | None) -> NotTaken:
    """What answers is not the third party's API: the host is wrong, or something is in front of it."""
    if hosts := _in_host(item, url, "refused"):
        return NotTaken(REFUSED, hosts, f"This is not the third party's API: it answered {status}.")
    return _unreachable(f"it answered {status} with something else", {})


def _unreachable(reason: str | int, fields: Mapping[str, str]) -> NotTaken:
    return NotTaken(NO_ANSWER, fields, f"The third party could not try them: {reason}.")
