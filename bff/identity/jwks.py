"""The public keys that verify a host's assertions (RFC 7517): from its product file, or fetched by URL."""

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
"""The one accepted algorithm of each key type (``kty``). A token's header cannot choose another."""

PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members of a JWK that only a private or symmetric key has."""
LEAST_BITS: Final = 2048
MOST_BITS: Final = 8192
"""Size of an RSA modulus. Verification by a long key takes more than quadratic time."""
MOST_KEYS: Final = 100
"""Keys that are read of one set."""
MAX_BYTES: Final = 64 * 1024

FRESH_SECONDS: Final = 600.0
"""How long fetched keys are cached. A key that the host withdraws is accepted for this long at most."""
AGAIN_SECONDS: Final = 60.0
"""Least time between two fetches because of an unknown key id."""
RECOVER_SECONDS: Final = 5.0
"""Least time between two fetches while they fail."""
LIMITS: Final = Limits(connect=2.0, read=3.0, total=5.0)


class FaultyKey(ValueError):
    """A JWK that cannot verify assertions. The message says why."""


@dataclass(frozen=True)
class PublicKey:
    """A public key, and the one algorithm that it is used with."""

    kid: str | None
    algorithm: str
    key: RSAKey | ECKey


def public_key(jwk: Any) -> PublicKey:
    """Import a JWK. Raises ``FaultyKey``."""
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


def find_key(keys: Iterable[PublicKey], kid: str | None, algorithm: str) -> PublicKey | None:
    """The only key with this algorithm, and this id unless ``kid`` is None. None if none or several match."""
    matching = [key for key in keys if key.algorithm == algorithm and (kid is None or key.kid == kid)]
    return matching[0] if len(matching) == 1 else None


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
class _KeySet:
    """The cached keys of one URL. Times are of the cache's monotonic clock."""

    keys: tuple[PublicKey, ...] = ()
    read_at: float | None = None
    tried_at: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class JwksUrls:
    """Caches key sets by URL for ``FRESH_SECONDS``. Safe to use from many threads; one fetches at a time.

    Expired keys are never used: while a set cannot be fetched, its assertions are refused.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sets: dict[str, _KeySet] = {}

    def find(self, url: str, kid: str | None, algorithm: str) -> PublicKey | None:
        """The key of ``find_key`` in the set at ``url``, which is fetched if necessary.

        Raises ``KeysUnavailable``.
        """
        cached = self._sets.setdefault(url, _KeySet())
        key = find_key(self._fresh(cached), kid, algorithm)
        if key is not None:
            return key
        with cached.lock:
            if self._may_fetch(cached):
                cached.tried_at = self._clock()
                cached.keys, cached.read_at = fetch(url), self._clock()
            if cached.read_at is None or self._clock() - cached.read_at >= FRESH_SECONDS:
                raise KeysUnavailable(f"the keys at {url} could not be fetched a moment ago")
            return find_key(cached.keys, kid, algorithm)

    def _fresh(self, cached: _KeySet) -> tuple[PublicKey, ...]:
        read_at = cached.read_at
        return cached.keys if read_at is not None and self._clock() - read_at < FRESH_SECONDS else ()

    def _may_fetch(self, cached: _KeySet) -> bool:
        if cached.tried_at is None:
            return True
        wait = AGAIN_SECONDS if self._fresh(cached) else RECOVER_SECONDS
        return self._clock() - cached.tried_at >= wait


def fetch(url: str) -> tuple[PublicKey, ...]:
    """Fetch the key set at ``url``. Unusable keys are skipped (RFC 7517 section 5).

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
