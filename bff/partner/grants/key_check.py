"""Sends the ``check`` request of a catalogue entry, which shows whether typed credentials are valid."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from flask import json

from bff.partner.providers import body_errors, refusals, said, templates, transport
from bff.partner.providers.answers import json_of
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.dotted import plain_text, value_at
from bff.partner.providers.entries import Check
from bff.partner.providers.provider import Provider
from bff.partner.providers.said import legible

NO_GOOD: Final = "invalid_token"
"""Error code: the response is a JSON object without a value at ``good_at``, so the key is not valid."""
NOT_UNDERSTOOD: Final = "answer_not_understood"
"""Error code: the response cannot be evaluated, for example an HTML page instead of JSON."""

_PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
_PAGE: Final = re.compile(rb"<(?:!doctype\s+)?html\b", re.IGNORECASE)
_PAGE_BEGINS: Final = 2048
"""The bytes of a body in which the beginning of a page is looked for."""


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
    assert check is not None  # noqa: S101  # for the type checker
    url = item.url(check.url, dict(values))
    optional = item.optional_names
    headers = templates.fill_headers(check.headers, values, optional)
    if check.basic is not None:
        unset = {name for name in optional if not values.get(name)}
        pair = templates.fill(templates.without(check.basic, unset), values).encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    params = templates.fill_all(check.params, values, optional)
    payload: dict[str, Any] = {}
    if params and check.request == "json":
        headers["Content-Type"] = "application/json"
        payload = {"body": json.dumps(params).encode()}
    elif params:
        payload = {"form": params}
    policy = item.policy(check.url, provider.policy)
    # Some checks list things. The status alone may be enough, so a long body is cut, and not refused.
    payload |= {"limits": provider.limits, "most_bytes": transport.MAX_LISTED_BYTES, "cuts": True}
    return transport.send(policy, check.method, url, headers=headers, **payload)


def is_busy(reply: transport.Reply) -> bool:
    """Whether the response reports a rate limit or an outage, so that it says nothing of the key.

    Some third parties do so with status 403 or 400, in headers or in words. The headers of a 401 do not
    count: a caller whose key is wrong may have no requests left because it never has any.
    """
    if not refusals.is_processed(reply.status):
        return True
    if reply.asks_less and reply.status != HTTPStatus.UNAUTHORIZED:
        return True
    document = None if 200 <= reply.status < 300 else json_of(reply)
    return document is not None and refusals.asks_to_wait(said.of_answer("check", reply.status, document, ()))


def is_page(reply: transport.Reply) -> bool:
    """Whether the body is an HTML page. No check answers one: a proxy or another web site did."""
    beginning = reply.body[:_PAGE_BEGINS]
    is_html = reply.media_type in _PAGES and b"<" in beginning and not beginning.lstrip().startswith(b"<?xml")
    return (is_html or _PAGE.search(beginning) is not None) and json_of(reply) is None


def error_of(item: CatalogueConnector, reply: transport.Reply) -> str | None:
    """The error in the body of a 2xx response to the check; None if it contains none."""
    check = item.check
    if check is None:
        return None
    if is_page(reply):
        return NOT_UNDERSTOOD
    document = json_of(reply)
    if document is None:
        return NOT_UNDERSTOOD if _expects_json(item) and not _is_good_unread(reply, check) else None
    if check.good_at and not value_at(document, check.good_at):
        return NO_GOOD if isinstance(document, dict) else NOT_UNDERSTOOD
    if not (check.error_at or check.good_at):
        code = body_errors.refusal_in(document)
        return (legible(code) or body_errors.UNNAMED) if code else None
    error = value_at(document, check.error_at) if check.error_at else None
    return legible(plain_text(error) or body_errors.UNNAMED) if error else None


def _expects_json(item: CatalogueConnector) -> bool:
    """Whether the entry says where something is in the response."""
    check = item.check
    said_where = check is not None and (check.error_at or check.good_at)
    return bool(said_where) or "account_claim" in item.model_fields_set


def _is_good_unread(reply: transport.Reply, check: Check) -> bool:
    """Whether the status alone says that the key is valid: the body was too long to read, or is empty."""
    return check.good_at is None and (reply.cut or not reply.body)
