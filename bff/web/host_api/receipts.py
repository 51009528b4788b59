"""The public keys that receipts are verified with."""

from __future__ import annotations

import json

from flask import Blueprint, Response

from bff.web.kit.services import services

routes = Blueprint("hitchpost_receipts", __name__)


@routes.get("/.well-known/jwks.json")
def jwks() -> Response:
    """A JWK set (RFC 7517): every key that signs or has signed receipts."""
    body = json.dumps(services().clicks.receipts.public_keys())
    response = Response(body, content_type="application/jwk-set+json")
    response.headers.update({"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"})
    return response
