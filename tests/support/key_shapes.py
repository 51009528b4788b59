"""The shape of a shipped entry without a user's consent: its key is tried, or its client gets tokens."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from typing import Final

from flask import Flask, Response, request

from bff.partner.providers import templates, transport
from bff.partner.providers.credentials import Client as ClientId
from bff.partner.providers.entries import CatalogueConnector
from bff.partner.providers.provider import Provider as Client
from bff.partner.providers.provider import ProviderFailed
from bff.partner.providers.shipped_entries import ShippedEntry
from bff.serving.destinations import Policy
from tests.support.provider import CLIENT, SECRET, as_json
from tests.support.servers import serve
from tests.support.shapes import Covered, WrongShape, client_fault, here, require
from tests.support.shipped_values import typed

KEY: Final = "key-0123456789"


def try_key(entry: ShippedEntry) -> Covered:
    """Send an entry's check with good credentials, and with wrong ones. Raises ``WrongShape``."""
    item, covered = entry.connector(), Covered(entry.key, entry.auth)
    assert item.check is not None
    with _key_server() as url:
        for key, status in ((KEY, 200), ("wrong", 401)):
            values = {field.name: typed(field) for field in item.fields} | _credentials(item, key)
            template = here(item.check.url, url, "check")
            headers = {n: templates.fill_header(text, values) for n, text in item.check.headers.items()}
            made = templates.fill_url(template, values, item.patterns, ())
            reply = transport.send(Policy(loopback=True), item.check.method, made, headers=headers)
            require(reply.status, status, f"check with {key}")
    covered.shown.append("check")
    return covered


def get_tokens(entry: ShippedEntry) -> Covered:
    """Get tokens without a user, by the account's own client. Raises ``WrongShape`` where that fails."""
    item, covered = entry.connector(), Covered(entry.key, entry.auth)
    app = Flask("tokens")

    @app.post("/token")
    def token() -> Response:
        fault = client_fault(item, request.form, request.headers)
        if fault or request.form.get("grant_type") != "client_credentials":
            return as_json({"error": fault or "unsupported_grant_type"}, 400)
        return as_json({"access_token": KEY, "token_type": "Bearer", "expires_in": 3600})

    with serve(lambda _: app) as url:
        placed = item.model_copy(update={"token_url": here(item.token_url or "", url, "token")})
        values = {asked.name: typed(asked) for asked in item.fields}
        try:
            found, _ = Client(Policy(loopback=True), "r").client_credentials(
                placed, ClientId(CLIENT, SECRET), values
            )
        except ProviderFailed as failure:
            raise WrongShape(f"tokens: {failure.error}") from failure
    require(found.access_token, KEY, "tokens")
    covered.shown.append("tokens")
    return covered


def _credentials(item: CatalogueConnector, key: str) -> dict[str, str]:
    if item.auth == "api_key":
        return {"api_key": key}
    return {"username": "ada", "password": key, "basic": base64.b64encode(f"ada:{key}".encode()).decode()}


@contextlib.contextmanager
def _key_server() -> Iterator[str]:
    app = Flask("keys")

    @app.get("/check")
    def check() -> Response:
        basic = base64.b64encode(f"ada:{KEY}".encode()).decode()
        told = [*request.headers.values(), *request.args.values()]
        good = any(KEY in value or basic in value for value in told)
        return Response("{}", 200 if good else 401, content_type="application/json")

    with serve(lambda _: app) as url:
        yield url
