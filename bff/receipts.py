"""For the host's server: verify a receipt, offline, with the BFF's published keys.

    keys = KeySet("https://bff.example/.well-known/jwks.json")
    receipt = verify(text, keys=keys, issuer="https://bff.example", product="demo")

A host in another language follows docs/receipts.md with any JOSE library.
"""

from __future__ import annotations

import json
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import requests
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

ALGORITHM: Final = "EdDSA"
TYPE: Final = "hitchpost-receipt+jwt"
# RFC 9864 would have it called Ed25519; most libraries that a host may use know it as EdDSA only (RFC 8037).
warnings.filterwarnings("ignore", message="EdDSA is deprecated via RFC 9864")
LEEWAY: Final = timedelta(seconds=60)
"""Two servers' clocks may differ by so much."""
MAX_RECEIPT: Final = 8_000
MAX_KEYS_BYTES: Final = 64 * 1024
REFETCH_SECONDS: Final = 60.0


class ReceiptRefused(Exception):
    """A receipt that proves nothing.

    ``code`` is stable: malformed, wrong_algorithm, wrong_type, unknown_key, bad_signature, wrong_issuer,
    wrong_product, too_old, from_the_future or keys_unavailable.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


@dataclass(frozen=True)
class Receipt:
    """Who connected what, and when (UTC). ``id`` is the same however often one attempt's receipt is read."""

    id: str
    issuer: str
    product: str
    user: str
    account: str
    connector: str
    connection: str
    external_account: str | None
    attempt: str
    at: datetime


class Keys(Protocol):
    """Where public keys come from."""

    def get(self, key_id: str) -> OKPKey | None:
        """The key of this id (RFC 7638 thumbprint), or None."""


class FixedKeys:
    """Keys of a JWK set that the caller has read already."""

    def __init__(self, jwks: Mapping[str, Any]) -> None:
        self._keys = _read_keys(jwks)

    def get(self, key_id: str) -> OKPKey | None:
        """The key of this id, or None."""
        return self._keys.get(key_id)


class KeySet:
    """Keys fetched from the BFF when first needed, and again when a receipt names one that is not among them.

    At most one fetch a minute, whatever receipts name. Safe to share between threads.
    """

    def __init__(self, url: str, *, timeout: float = 5.0) -> None:
        self._url = url
        self._timeout = timeout
        self._lock = threading.Lock()
        self._keys: dict[str, OKPKey] = {}
        self._fetched = -REFETCH_SECONDS

    def get(self, key_id: str) -> OKPKey | None:
        """The key of this id, or None. Raises ``ReceiptRefused`` (keys_unavailable)."""
        with self._lock:
            if key_id not in self._keys and time.monotonic() - self._fetched >= REFETCH_SECONDS:
                self._keys = _read_keys(fetch_keys(self._url, timeout=self._timeout))
                self._fetched = time.monotonic()
            return self._keys.get(key_id)


def fetch_keys(url: str, *, timeout: float = 5.0) -> dict[str, Any]:
    """The BFF's JWK set; ``timeout`` in seconds. Raises ``ReceiptRefused`` (keys_unavailable)."""
    try:
        with requests.get(url, timeout=timeout, allow_redirects=False, stream=True) as response:
            body = response.raw.read(MAX_KEYS_BYTES + 1, decode_content=True)
            document = (
                json.loads(body) if response.status_code == 200 and len(body) <= MAX_KEYS_BYTES else None
            )
    except (requests.RequestException, OSError, ValueError) as error:
        raise ReceiptRefused("keys_unavailable", f"{url} cannot be read: {type(error).__name__}") from error
    if not isinstance(document, dict):
        raise ReceiptRefused("keys_unavailable", f"{url} answers with no JWK set")
    return document


def verify(
    unverified_receipt: str,
    *,
    keys: Keys,
    issuer: str,
    product: str,
    max_age: timedelta = timedelta(minutes=10),
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Receipt:
    """What a receipt says, every check passed. Raises ``ReceiptRefused``.

    ``issuer`` is the BFF's public URL, ``product`` the product's key. A receipt older than ``max_age`` is
    refused: keep the ``id`` of each one for that long, and refuse what you have seen.
    """
    header, payload = _parts(unverified_receipt)
    _check_header(header)
    key = keys.get(header["kid"])
    if key is None:
        raise ReceiptRefused("unknown_key", "it is signed with a key that the issuer does not publish")
    try:
        jws.deserialize_compact(unverified_receipt, key, algorithms=[ALGORITHM])
    except (JoseError, ValueError) as error:
        raise ReceiptRefused("bad_signature", "the signature does not belong to it") from error
    receipt = _read_claims(payload)
    if receipt.issuer != issuer:
        raise ReceiptRefused("wrong_issuer", f"it was issued by {receipt.issuer!r}")
    if receipt.product != product:
        raise ReceiptRefused("wrong_product", f"it was issued for {receipt.product!r}")
    now = clock()
    if receipt.at > now + LEEWAY:
        raise ReceiptRefused("from_the_future", "it was issued after now; check both clocks")
    if receipt.at < now - max_age - LEEWAY:
        raise ReceiptRefused("too_old", f"it was issued at {receipt.at.isoformat()}")
    return receipt


def _parts(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if not isinstance(text, str) or len(text) > MAX_RECEIPT:
        raise ReceiptRefused("malformed", "it is no text, or longer than a receipt ever is")
    try:
        parsed = jws.extract_compact(text.encode("ascii"))
        header, payload = parsed.headers(), json.loads(parsed.payload)
    except (JoseError, ValueError, RecursionError) as error:
        raise ReceiptRefused("malformed", "it is no compact JWS with JSON in it") from error
    if not isinstance(header, dict) or not isinstance(payload, dict):
        raise ReceiptRefused("malformed", "its parts are no JSON objects")
    return header, payload


def _check_header(header: dict[str, Any]) -> None:
    # The allow-list has one entry: a verifier that let the receipt choose could be handed a public key as
    # the secret of an HMAC, or no signature at all (RFC 8725, section 3.1).
    if header.get("alg") != ALGORITHM:
        raise ReceiptRefused("wrong_algorithm", f"only {ALGORITHM} is good, not {header.get('alg')!r}")
    if header.get("typ") != TYPE:
        raise ReceiptRefused("wrong_type", f"it is no receipt: typ is {header.get('typ')!r}")
    if not isinstance(header.get("kid"), str):
        raise ReceiptRefused("unknown_key", "it names no key")


def _read_claims(claims: dict[str, Any]) -> Receipt:
    texts = ("iss", "aud", "sub", "account", "connector", "connection", "attempt", "jti")
    wrong = [name for name in texts if not isinstance(claims.get(name), str) or not claims[name]]
    issued, external = claims.get("iat"), claims.get("external_account", False)
    if not isinstance(issued, int) or isinstance(issued, bool) or not 0 <= issued < 2**33:
        wrong.append("iat")
    if external is not None and not isinstance(external, str):
        wrong.append("external_account")
    if wrong or not isinstance(issued, int):
        raise ReceiptRefused("malformed", f"missing or of a wrong kind: {', '.join(wrong)}")
    return Receipt(
        id=claims["jti"],
        issuer=claims["iss"],
        product=claims["aud"],
        user=claims["sub"],
        account=claims["account"],
        connector=claims["connector"],
        connection=claims["connection"],
        external_account=external,
        attempt=claims["attempt"],
        at=datetime.fromtimestamp(issued, UTC),
    )


def _read_keys(jwks: Mapping[str, Any]) -> dict[str, OKPKey]:
    found = {}
    entries = jwks.get("keys")
    for entry in entries if isinstance(entries, list) else []:
        # A set may hold keys of other kinds, for other purposes: they verify no receipt.
        if isinstance(entry, dict) and entry.get("kty") == "OKP" and entry.get("crv") == "Ed25519":
            try:
                key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": str(entry.get("x"))})
            except (JoseError, ValueError, TypeError):
                continue
            found[key.thumbprint()] = key
    return found
