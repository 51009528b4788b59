"""Authenticates the sandbox's only client."""

from __future__ import annotations

import base64
import hmac
from urllib.parse import unquote_plus

from werkzeug.datastructures import Headers, MultiDict

from bff.partner.sandbox.settings import Settings


def is_our_client(settings: Settings, headers: Headers, form: MultiDict[str, str]) -> bool:
    """Whether the header or the form has the client's credentials (RFC 6749, section 2.3.1)."""
    client, secret = _basic(headers.get("Authorization", "")) or (
        form.get("client_id", ""),
        form.get("client_secret", ""),
    )
    expected = settings.client_secret.get_secret_value()
    return client == settings.client_id and hmac.compare_digest(secret.encode(), expected.encode())


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client, _, secret = base64.b64decode(encoded).decode().partition(":")
    except ValueError:  # not ASCII, not base64 or not UTF-8
        return "", ""
    return unquote_plus(client), unquote_plus(secret)
