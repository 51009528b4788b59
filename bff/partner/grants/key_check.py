"""The ``check`` of a catalogue entry: one request that shows whether what a user typed is good."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from flask import json

from bff.partner.context import Embedded
from bff.partner.providers import templates, transport
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.dotted import plain_text, value_at
from bff.partner.providers.provider import IN_A_HURRY
from bff.partner.providers.said import legible

NO_GOOD: Final = "invalid_token"
"""The error of an answer without anything at ``good_at``: it speaks of the key, and does not call it good."""
NOT_UNDERSTOOD: Final = "answer_not_understood"
"""The error of an answer in which nothing can be looked for, such as a page in place of JSON."""


class Unreadable(ValueError):
    """What was typed is kept in a form that nobody can read."""


def values_of(
    item: CatalogueConnector, properties: Mapping[str, str], auth_value: str | None
) -> dict[str, str]:
    """Everything that the catalogue's texts may name, from what the API was given. Raises ``Unreadable``."""
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


def ask(service: Embedded, item: CatalogueConnector, values: Mapping[str, str]) -> transport.Reply:
    """Send the ``check`` of a catalogue entry that has one. Raises ``templates.Unfit``, ``NoReply``."""
    check = item.check
    assert check is not None  # nosec B101  # for the type checker
    url = item.url(check.url, dict(values))
    headers = {name: templates.fill_header(text, values) for name, text in check.headers.items()}
    if check.basic is not None:
        pair = templates.fill(check.basic, values).encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    params = templates.fill_all(check.params, values)
    sent: dict[str, Any] = {}
    if params and check.request == "json":
        headers["Content-Type"] = "application/json"
        sent = {"body": json.dumps(params).encode()}
    elif params:
        sent = {"form": params}
    policy = service.provider.policy
    return transport.send(policy, check.method, url, headers=headers, limits=IN_A_HURRY, **sent)


def error_of(item: CatalogueConnector, reply: transport.Reply) -> str | None:
    """The error that a check's answer tells although its status is 2xx; None where there is none."""
    check = item.check
    if check is None or not (check.error_at or check.good_at):
        return None
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):
        return NOT_UNDERSTOOD if check.good_at else None
    if check.good_at and not value_at(document, check.good_at):
        return NO_GOOD if isinstance(document, dict) else NOT_UNDERSTOOD
    found = value_at(document, check.error_at) if check.error_at else None
    return legible(plain_text(found) or "error") if found else None
