"""A host that asserts who is signed in: its keys, and the server that publishes them."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey


@dataclass
class Issuer:
    """Signs JWTs by the key of an id. ``published`` is in its JWKS; ``asked`` is how often that was read."""

    name: str = "https://app.example"
    audience: str = "https://bff.example"
    keys: dict[str, RSAKey | ECKey] = field(
        default_factory=lambda: {
            "r1": RSAKey.generate_key(2048),
            "e1": ECKey.generate_key("P-256"),
        }
    )
    published: list[str] = field(default_factory=lambda: ["r1", "e1"])
    asked: int = 0
    status: int = 200
    body: str | None = None
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Answers at once unless told to wait."""
        self.gate.set()

    def jwk(self, kid: str) -> dict[str, Any]:
        """The public part of a key."""
        return {**self.keys[kid].as_dict(private=False), "kid": kid, "use": "sig"}

    def jwks(self) -> dict[str, Any]:
        """What is published."""
        return {"keys": [self.jwk(kid) for kid in self.published]}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Sound claims but for ``changes``; a change to None leaves the claim out."""
        now = int(time.time())
        sound = {
            "iss": self.name,
            "aud": self.audience,
            "sub": "ada",
            "name": "Ada",
            "account": "acme",
            "account_name": "Acme",
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_urlsafe(16),
        }
        return {name: value for name, value in (sound | changes).items() if value is not None}

    def sign(self, kid: str = "r1", *, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A JWT of these claims."""
        return self.sign_text(json.dumps(self.claims(**changes)), kid, header=header)

    def sign_text(self, payload: str, kid: str = "r1", *, header: dict[str, Any] | None = None) -> str:
        """A JWT whose claims are this text, whatever it is."""
        key = self.keys[kid]
        algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
        said = {"alg": algorithm, "kid": kid, "typ": "JWT"} | (header or {})
        return jws.serialize_compact(
            {k: v for k, v in said.items() if v is not None}, payload, key, [algorithm]
        )

    def app(self) -> Flask:
        """The server that publishes the keys, at /jwks."""
        app = Flask("issuer")

        @app.get("/jwks")
        def jwks() -> Response:
            self.asked += 1
            self.gate.wait(20)
            body = json.dumps(self.jwks()) if self.body is None else self.body
            return Response(body, self.status, content_type="application/jwk-set+json")

        return app


def bare(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """A JWT put together by hand."""
    return ".".join(map(encoded, (json.dumps(header).encode(), json.dumps(claims).encode(), signature)))


def encoded(data: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_public_key(issuer: Issuer, secret: bytes) -> str:
    """A JWT by HMAC, its secret a public key as it stands in the open (the swap of RS256 for HS256)."""
    signed = bare({"alg": "HS256", "kid": "r1"}, issuer.claims()).rstrip(".")
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), 'sha256'))}"
