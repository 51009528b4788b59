"""A third party that signs everybody in at once, without a page: for tests of what comes after."""

from __future__ import annotations

import secrets

from flask import Flask, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse


def create_provider(_url: str) -> Flask:
    """An authorization server whose every answer is yes."""
    app = Flask("instant")

    @app.get("/authorize")
    def authorize() -> AnyResponse:
        answer = f"code={secrets.token_hex(8)}&state={request.args['state']}"
        return redirect(f"{request.args['redirect_uri']}?{answer}", 302)

    @app.post("/token")
    def token() -> Response:
        return jsonify(access_token=secrets.token_hex(16), token_type="bearer", expires_in=3600)

    return app


def catalogue_entry(url: str) -> str:
    """The connector, as the embedded service's catalogue has it."""
    return (
        '[[connector]]\nid = 901\nkey = "instant"\nname = "Instant CRM"\nauth = "oauth2"\n'
        f'authorize_url = "{url}/authorize"\ntoken_url = "{url}/token"\nclient_id = "x"\n'
        'client_secret = "y"\n'
    )
