"""Sends the ``check`` request of a catalogue entry, which shows whether typed credentials are valid."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from flask import json

from bff.partner.providers import body_errors, templates, transport
from bff.partner.providers.answers import json_of
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.dotted import plain_text, value_at
from bff.partner.providers.provider import Provider
from bff.partner.providers.said import legible

NO_GOOD: Final = "invalid_token"
"""Error code: the response is a JSON object without a value at ``good_at``, so the key is not valid."""
NOT_UNDERSTOOD: Final = "answer_not_understood"
"""Error code: the response cannot be evaluated, for example an HTML page instead of JSON."""


class Unreadable(ValueError):
    """The stored ``AuthValue`` cannot be decoded."""


def values_of(
    item: CatalogueConnector, properties: Mapping[str, str], auth_value: str | None
) -> dict[str, str]:
    """The values for the placeholders of the catalogue entry. Raises ``Unreadable``."""
    values = dict(properties)
    if item.auth == "api_key" and auth_value:
        values["api_key"] = auth_value
    if item.auth == "basic" and auth_value:
        values["basic"] = auth_value
        try:
            user, _, password = base64.b64decode(auth_value, validate=True).decode().partition(":")
        except ValueError:
            raise Unreadable("AuthValue must be base64 of username:password.") from None
        values |= {"username": user, "password": password}
    if item.auth == "client_credentials":
        values |= {
            "client_id": values.get("ClientId", ""),
            "client_secret": values.get("ClientSecret", ""),
        }
    return values


def ask(provider: Provider, item: CatalogueConnector, values: Mapping[str, str]) -> transport.Reply:
    """Send the ``check`` request that the entry has. Raises ``templates.Unfit``, ``transport.NoReply``."""
    check = item.check
    assert check is not None  # nosec B101  # for the type checker
    url = item.url(check.url, dict(values))
    headers = {name: templates.fill_header(text, values) for name, text in check.headers.items()}
    if check.basic is not None:
        pair = templates.fill(check.basic, values).encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    params = templates.fill_all(check.params, values)
    payload: dict[str, Any] = {}
    if params and check.request == "json":
        headers["Content-Type"] = "application/json"
        payload = {"body": json.dumps(params).encode()}
    elif params:
        payload = {"form": params}
    return transport.send(
        provider.policy, check.method, url, headers=headers, limits=provider.limits, **payload
    )


def error_of(item: CatalogueConnector, reply: transport.Reply) -> str | None:
    """The error in the body of a 2xx response to the check; None if it contains none."""
    check = item.check
    document = json_of(reply)
    if check is None or not (check.error_at or check.good_at):
        error = body_errors.refusal_in(document)
        return legible(error) or body_errors.UNNAMED if error else None
    if document is None:
        return NOT_UNDERSTOOD if check.good_at else None
    if check.good_at and not value_at(document, check.good_at):
        return NO_GOOD if isinstance(document, dict) else NOT_UNDERSTOOD
    error = value_at(document, check.error_at) if check.error_at else None
    return legible(plain_text(error) or "error") if error else None
