"""Whether a call of the token endpoint comes from the one client that the sandbox knows."""

from __future__ import annotations

import base64
import hmac
from urllib.parse import unquote_plus

from werkzeug.datastructures import Headers, MultiDict

from bff.partner.sandbox.settings import Settings


def is_our_client(settings: Settings, headers: Headers, form: MultiDict[str, str]) -> bool:
    """Client authentication by header or by form (RFC 6749, section 2.3.1)."""
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
    except ValueError:  # no ASCII, no base64 or no UTF-8
        return "", ""
    return unquote_plus(client), unquote_plus(secret)
