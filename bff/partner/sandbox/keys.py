"""A sandbox service that authenticates by API key and has no sign-in page."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, json, request

routes = Blueprint("keys", __name__, url_prefix="/keys")

KEYS: Final = {
    "sk_sandbox_ada": "ada@sandbox.example",
    "sk_sandbox_grace": "grace@sandbox.example",
}
"""The valid API keys, with their accounts."""
OUT_OF_ORDER: Final = "sk_sandbox_down"
"""With this key the service responds with 503."""


@routes.get("/me")
def me() -> Response:
    """Return the account of the API key."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if key == OUT_OF_ORDER:
        return _json({"error": "out_of_order"}, 503)
    if scheme.lower() != "bearer" or key not in KEYS:
        refused = _json({"error": "invalid_key"}, 401)
        refused.headers["WWW-Authenticate"] = 'Bearer realm="sandbox"'
        return refused
    return _json({"email": KEYS[key]}, 200)


def _json(body: dict[str, str], status: int) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
