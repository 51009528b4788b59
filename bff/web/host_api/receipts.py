"""The route of the public keys with which receipts are verified."""

from __future__ import annotations

import json
from typing import Literal

from flask import Blueprint, Response
from pydantic import BaseModel

from bff.openapi.operation import Answer
from bff.web.kit.limits import UNCOUNTED
from bff.web.kit.services import services
from bff.web.openapi import describe
from bff.web.openapi.describe import Access

routes = Blueprint("hitchpost_receipts", __name__)


class Jwk(BaseModel):
    """A public key (RFC 7517, RFC 8037)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str
    kid: str
    alg: Literal["EdDSA"]
    use: Literal["sig"]


class Jwks(BaseModel):
    """The keys with which receipts are verified."""

    keys: list[Jwk]


@routes.get("/.well-known/jwks.json")
@describe.operation(
    Answer(200, "The JWK set.", Jwks, "application/jwk-set+json", (describe.CACHE_CONTROL,)),
    access=Access.ANYBODY,
    limit=UNCOUNTED,
    tag="server",
)
def jwks() -> Response:
    """The JWK set (RFC 7517) of every key that signs or has signed receipts."""
    body = json.dumps(services().attempts.receipts.public_keys())
    response = Response(body, content_type="application/jwk-set+json")
    response.headers.update({"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"})
    return response
