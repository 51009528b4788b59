"""For a host's server: verifies receipts offline, with the BFF's published keys.

    keys = KeySet("https://bff.example/.well-known/jwks.json")
    receipt = verify(text, keys=keys, issuer="https://bff.example", product="demo")

In another language, follow docs/receipts.md with any JOSE library.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from bff.receipt_keys import FixedKeys, KeySet, ReceiptRefused, fetch_keys

__all__ = ["FixedKeys", "KeySet", "Keys", "Receipt", "ReceiptRefused", "fetch_keys", "verify"]

ALGORITHM: Final = "EdDSA"
TYPE: Final = "hitchpost-receipt+jwt"
# RFC 9864 deprecates the name in favour of Ed25519, but most JOSE libraries know only EdDSA (RFC 8037).
warnings.filterwarnings("ignore", message="EdDSA is deprecated via RFC 9864")
LEEWAY: Final = timedelta(seconds=60)
"""Allowed difference between the two servers' clocks."""
MAX_RECEIPT: Final = 8_000


@dataclass(frozen=True)
class Receipt:
    """A verified receipt: which user connected what, and when (UTC).

    ``id`` identifies the attempt's receipt: reading the receipt again gives the same id.
    """

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
    """Source of public keys: ``KeySet`` or ``FixedKeys``."""

    def get(self, key_id: str) -> OKPKey | None:
        """The key with this id (RFC 7638 thumbprint), or None."""


def verify(
    unverified_receipt: str,
    *,
    keys: Keys,
    issuer: str,
    product: str,
    max_age: timedelta | float = timedelta(minutes=10),
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Receipt:
    """Verify a receipt: signature, type, issuer, product and age. Raises ``ReceiptRefused``.

    ``issuer`` is the BFF's public URL, ``product`` the product's key. A receipt older than ``max_age`` (a
    ``timedelta``, or seconds) is refused. To prevent replays, store the ``id`` of each receipt for that long,
    and refuse it a second time.
    """
    oldest = max_age if isinstance(max_age, timedelta) else timedelta(seconds=max_age)
    header, payload = _parts(unverified_receipt)
    _check_header(header)
    key = keys.get(header["kid"])
    if key is None:
        raise ReceiptRefused("unknown_key", "it is signed with a key that the issuer does not publish")
    try:
        jws.deserialize_compact(unverified_receipt, key, algorithms=[ALGORITHM])
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ReceiptRefused("bad_signature", "the signature does not belong to it") from error
    receipt = _read_claims(payload)
    if receipt.issuer != issuer:
        raise ReceiptRefused("wrong_issuer", f"it was issued by {receipt.issuer!r}")
    if receipt.product != product:
        raise ReceiptRefused("wrong_product", f"it was issued for {receipt.product!r}")
    now = clock()
    if receipt.at > now + LEEWAY:
        raise ReceiptRefused("from_the_future", "it was issued after now; check both clocks")
    if receipt.at < now - oldest - LEEWAY:
        raise ReceiptRefused("too_old", f"it was issued at {receipt.at.isoformat()}")
    return receipt


def _parts(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if not isinstance(text, str) or len(text) > MAX_RECEIPT:
        raise ReceiptRefused("malformed", "it is no text, or longer than a receipt ever is")
    try:
        parsed = jws.extract_compact(text.encode("ascii"))
        header, payload = parsed.headers(), json.loads(parsed.payload)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ReceiptRefused("malformed", "it is no compact JWS with JSON in it") from error
    if not isinstance(header, dict) or not isinstance(payload, dict):
        raise ReceiptRefused("malformed", "its parts are no JSON objects")
    return header, payload


def _check_header(header: dict[str, Any]) -> None:
    # Only one algorithm is accepted. If the receipt could choose, an attacker could use the public key as an
    # HMAC secret, or no signature at all (RFC 8725, section 3.1).
    if header.get("alg") != ALGORITHM:
        raise ReceiptRefused(
            "wrong_algorithm", f"only {ALGORITHM} is good, not {str(header.get('alg'))[:40]!r}"
        )
    if header.get("typ") != TYPE:
        raise ReceiptRefused("wrong_type", f"it is no receipt: typ is {str(header.get('typ'))[:40]!r}")
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
