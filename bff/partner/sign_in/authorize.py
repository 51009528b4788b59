"""The request that a browser takes to a third party (RFC 6749, section 4.1.1; PKCE, RFC 7636)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from bff.partner.crypto import challenge_of
from bff.partner.providers import templates
from bff.partner.providers.credentials import Client
from bff.partner.providers.entries import CatalogueConnector


@dataclass(frozen=True)
class Secrets:
    """What ties an answer to its request."""

    state: str
    verifier: str


def url_for(
    item: CatalogueConnector, client: Client, values: Mapping[str, str], secrets: Secrets, redirect_uri: str
) -> str:
    """Where the browser goes. ``values`` stand for names in the URL and its parameters. Raises ``Unfit``."""
    known = {**values, "client_id": client.id}
    asked = {"response_type": "code", "client_id": client.id, "redirect_uri": redirect_uri}
    if item.scopes:
        # An empty one is refused by some, and means "all" to others.
        asked["scope"] = item.scope_separator.join(item.scopes)
    asked["state"] = secrets.state
    if item.pkce:
        asked |= {"code_challenge": challenge_of(secrets.verifier), "code_challenge_method": "S256"}
    named = {item.parameter_names.get(name, name): value for name, value in asked.items()}
    query = urlencode({**named, **templates.fill_all(item.authorize_params, known)})
    url = item.url(item.authorize_url or "", known)
    return f"{url}{'&' if urlsplit(url).query else '?'}{query}"
