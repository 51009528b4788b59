"""Builds the authorization request (RFC 6749, section 4.1.1), with PKCE (RFC 7636) where configured."""

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
    """The ``state`` and the PKCE code verifier, which bind a response to its request."""

    state: str
    verifier: str


def url_for(
    item: CatalogueConnector, client: Client, values: Mapping[str, str], secrets: Secrets, redirect_uri: str
) -> str:
    """The authorization URL. ``values`` fill the placeholders in the entry's URL and parameters.

    Raises ``templates.Unfit``.
    """
    placeholders = {**values, "client_id": client.id}
    parameters = {"response_type": "code", "client_id": client.id, "redirect_uri": redirect_uri}
    if item.scopes:
        # Some third parties reject an empty scope, and others read it as "all".
        parameters["scope"] = item.scope_separator.join(item.scopes)
    parameters["state"] = secrets.state
    if item.pkce:
        parameters |= {"code_challenge": challenge_of(secrets.verifier), "code_challenge_method": "S256"}
    renamed = {item.parameter_names.get(name, name): value for name, value in parameters.items()}
    query = urlencode(
        {**renamed, **templates.fill_all(item.authorize_params, placeholders, item.optional_names)}
    )
    url = item.url(item.authorize_url or "", placeholders).rstrip("?&")
    return f"{url}{'&' if urlsplit(url).query else '?'}{query}"
