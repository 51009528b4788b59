"""Signs receipts: statements that a user has made a connection, which hosts' servers verify offline."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws
from joserfc.jwk import OKPKey

from bff.common.secret import Secret
from bff.connect.attempt import Attempt, Status

ALGORITHM: Final = "EdDSA"
TYPE: Final = "hitchpost-receipt+jwt"
# RFC 9864 renames EdDSA to Ed25519, but most libraries a host may use know only EdDSA (RFC 8037).
warnings.filterwarnings("ignore", message="EdDSA is deprecated via RFC 9864")
INFO: Final = b"hitchpost.receipt.v1"


class Receipts:
    """Signs receipts with the newest key (RFC 8037), and publishes all keys (RFC 7517).

    The keys are derived from the BFF's secret keys (HKDF, RFC 5869): they rotate together, and no further
    secret has to be stored.
    """

    def __init__(self, keys: Sequence[Secret], issuer: str) -> None:
        self._keys = [_derive(key) for key in keys]
        self._issuer = issuer

    def sign(self, attempt: Attempt) -> str | None:
        """The receipt of a connected attempt (a compact JWS); None for any other, or if not attributed.

        A receipt names the user, so it must be known that this user's sign-in made the connection. ``jti`` is
        derived from the attempt's id, so a host can recognise a receipt that it has seen.
        """
        if attempt.status is not Status.CONNECTED or attempt.settled_at is None or not attempt.attributed:
            return None
        claims = {
            "iss": self._issuer,
            "aud": attempt.product,
            "sub": attempt.user.id,
            "account": attempt.account.id,
            "connector": attempt.connector.key,
            "connection": str(attempt.account_connector_id),
            "external_account": attempt.external_account,
            "attempt": attempt.id,
            "iat": int(attempt.settled_at.timestamp()),
            "jti": hashlib.sha256(b"hitchpost.receipt\n" + attempt.id.encode()).hexdigest()[:32],
        }
        key = self._keys[0]
        header = {"alg": ALGORITHM, "kid": key.thumbprint(), "typ": TYPE}
        # In UTF-8 (RFC 7519, section 7.1): escaped, ids of 255 letters beyond ASCII would make it three times
        # as long, and longer than verifiers accept.
        payload = json.dumps(claims, ensure_ascii=False, separators=(",", ":"))
        return jws.serialize_compact(header, payload, key, [ALGORITHM])

    def public_keys(self) -> dict[str, Any]:
        """The JWK set for hosts: public parts only."""
        return {"keys": [_published(key) for key in self._keys]}


def _derive(secret: Secret) -> OKPKey:
    seed = HKDF(SHA256(), 32, salt=None, info=INFO).derive(secret.reveal().encode())
    private = Ed25519PrivateKey.from_private_bytes(seed)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return OKPKey.import_key(pem)


def _published(key: OKPKey) -> dict[str, Any]:
    public = key.as_dict(private=False)
    return public | {"alg": ALGORITHM, "use": "sig", "kid": key.thumbprint()}
