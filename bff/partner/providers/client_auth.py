"""Client authentication at token endpoints (RFC 6749, section 2.3.1)."""

from __future__ import annotations

import base64
from urllib.parse import quote

from bff.partner.providers.credentials import Client
from bff.partner.providers.entries import CatalogueConnector


def authenticated(
    item: CatalogueConnector, client: Client, form: dict[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Add the credentials of ``client`` to a request. Returns its headers and its form."""
    match item.token_auth:
        case "client_secret_basic":
            # RFC 6749, section 2.3.1: id and secret are form-encoded before they are joined.
            name, secret = quote(client.id, safe=""), quote(client.secret or "", safe="")
            return {"Authorization": f"Basic {_pair(name, secret)}"}, form
        case "client_secret_basic_raw":
            return {"Authorization": f"Basic {_pair(client.id, client.secret or '')}"}, form
        case "client_secret_post":
            return {}, {**form, "client_id": client.id, "client_secret": client.secret or ""}
        case _:
            return {}, {**form, "client_id": client.id}


def named(client: Client) -> dict[str, str]:
    """Template values for the client, including its secret (``entries.CLIENT_SECRET``)."""
    values = {"client_id": client.id}
    if client.secret:
        values |= {"client_secret": client.secret, "basic": _pair(client.id, client.secret)}
    return values


def _pair(name: str, secret: str) -> str:
    return base64.b64encode(f"{name}:{secret}".encode()).decode()
