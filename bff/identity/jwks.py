"""The public keys that a host signs its assertions with (RFC 7517): from its product file, or by URL."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from bff.common.errors import KeysUnavailable, PartnerUnavailable
from bff.common.strict_json import FaultyJson, loads
from bff.outbound.client import HttpClient, Limits

ALGORITHMS: Final = {"RSA": "RS256", "EC": "ES256"}
"""The one algorithm of each kind of key that is taken: what a token says of itself cannot choose another."""

PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
LEAST_BITS: Final = 2048
MOST_BITS: Final = 8192
MOST_KEYS: Final = 100
"""Keys of one set that are looked at. To verify by a long key costs more than the square of its length."""
MAX_BYTES: Final = 64 * 1024

FRESH_SECONDS: Final = 600.0
"""So long are fetched keys kept, and a key that the host has withdrawn still taken."""
AGAIN_SECONDS: Final = 60.0
"""No more often are they fetched for the sake of a key id that is not among them."""
RECOVER_SECONDS: Final = 5.0
"""No more often are they fetched while that fails."""
LIMITS: Final = Limits(connect=2.0, read=3.0, total=5.0)


class FaultyKey(ValueError):
    """A JWK that no assertion can be verified with; the text says why."""


@dataclass(frozen=True)
class PublicKey:
    """A key to verify with, and the one algorithm it is for."""

    kid: str | None
    algorithm: str
    key: RSAKey | ECKey


def public_key(jwk: Any) -> PublicKey:
    """The key of a JWK. Raises ``FaultyKey``."""
    kty = jwk.get("kty") if isinstance(jwk, Mapping) else None
    if not isinstance(kty, str) or kty not in ALGORITHMS:
        raise FaultyKey('kty: write a JWK with kty "RSA", or "EC" and crv "P-256"')
    if PRIVATE & jwk.keys():
        raise FaultyKey("it holds a private key: write its public part only, and sign by another from now on")
    if jwk.get("use", "sig") != "sig" or jwk.get("alg", ALGORITHMS[kty]) != ALGORITHMS[kty]:
        raise FaultyKey(f'use, alg: only "sig" and "{ALGORITHMS[kty]}" go with kty "{kty}"')
    kid = jwk.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise FaultyKey("kid: is no text")
    try:
        return PublicKey(kid, ALGORITHMS[kty], _rsa(jwk) if kty == "RSA" else _ec(jwk))
    except FaultyKey:
        raise
    except (JoseError, KeyError, TypeError, ValueError):
        raise FaultyKey(f"it is no {kty} key") from None


def chosen(keys: Iterable[PublicKey], kid: str | None, algorithm: str) -> PublicKey | None:
    """The one key of this id for this algorithm. None when there is none, or when it could be several."""
    found = [key for key in keys if key.algorithm == algorithm and (kid is None or key.kid == kid)]
    return found[0] if len(found) == 1 else None


def _rsa(jwk: Mapping[str, Any]) -> RSAKey:
    if len(jwk["n"]) > MOST_BITS // 4 or len(jwk["e"]) > 8:
        raise FaultyKey(f"n, e: a key has at most {MOST_BITS} bits, and an exponent of six bytes")
    key = RSAKey.import_key({"kty": "RSA", "n": jwk["n"], "e": jwk["e"]})
    if key.public_key.key_size > MOST_BITS:
        raise FaultyKey(f"n: has more than {MOST_BITS} bits")
    if key.public_key.key_size < LEAST_BITS:
        raise FaultyKey(f"n: has fewer than {LEAST_BITS} bits")
    return key


def _ec(jwk: Mapping[str, Any]) -> ECKey:
    if jwk["crv"] != "P-256":
        raise FaultyKey("crv: only P-256 goes with ES256")
    return ECKey.import_key({"kty": "EC", "crv": "P-256", "x": jwk["x"], "y": jwk["y"]})


@dataclass
class _Kept:
    keys: tuple[PublicKey, ...] = ()
    read_at: float | None = None
    tried_at: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class JwksUrls:
    """Key sets by URL, each kept for a while. Safe to use from many threads; one of them fetches.

    Nothing outlives its time: while a set cannot be fetched, no key of it is taken.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def find(self, url: str, kid: str | None, algorithm: str) -> PublicKey | None:
        """The one key of this id for this algorithm. Raises ``KeysUnavailable``."""
        kept = self._kept.setdefault(url, _Kept())
        key = chosen(self._fresh(kept), kid, algorithm)
        if key is not None:
            return key
        with kept.lock:
            if self._may_ask(kept):
                kept.tried_at = self._clock()
                kept.keys, kept.read_at = fetch(url), self._clock()
            if kept.read_at is None or self._clock() - kept.read_at >= FRESH_SECONDS:
                raise KeysUnavailable(f"the keys at {url} could not be fetched a moment ago")
            return chosen(kept.keys, kid, algorithm)

    def _fresh(self, kept: _Kept) -> tuple[PublicKey, ...]:
        read_at = kept.read_at
        return kept.keys if read_at is not None and self._clock() - read_at < FRESH_SECONDS else ()

    def _may_ask(self, kept: _Kept) -> bool:
        if kept.tried_at is None:
            return True
        wait = AGAIN_SECONDS if self._fresh(kept) else RECOVER_SECONDS
        return self._clock() - kept.tried_at >= wait


def fetch(url: str) -> tuple[PublicKey, ...]:
    """The usable keys of the set at ``url``; others are passed over (RFC 7517 section 5).

    Raises ``KeysUnavailable``.
    """
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        answer = HttpClient(f"{parts.scheme}://{parts.netloc}", LIMITS).send("GET", path)
    except PartnerUnavailable as error:
        raise KeysUnavailable(f"the keys at {url}: {error.detail}") from None
    try:
        document = loads(answer.body) if answer.status == 200 and len(answer.body) <= MAX_BYTES else None
    except FaultyJson:
        document = None
    jwks = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(jwks, list):
        raise KeysUnavailable(f"the keys at {url}: it answered {answer.status} without a JWK set")
    return tuple(_usable(jwks))


def _usable(jwks: list[Any]) -> Iterable[PublicKey]:
    for jwk in jwks[:MOST_KEYS]:
        try:
            yield public_key(jwk)
        except FaultyKey:
            continue
