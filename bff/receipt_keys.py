"""Fetches and caches the BFF's public keys in a host's server, to verify receipts."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import requests
from joserfc.jwk import OKPKey

from bff.serving.deadline import WatchedAdapter, deadline

MAX_KEYS_BYTES: Final = 64 * 1024
MOST_KEYS: Final = 100
"""Keys that are read of one set. A BFF publishes one for each of its secret keys."""
CHUNK: Final = 4096
REFETCH_SECONDS: Final = 60.0
"""Least time between two fetches because of unknown key ids."""
RETRY_SECONDS: Final = 5.0
"""Least time after the first failed fetch. It doubles with each failure, up to ``REFETCH_SECONDS``."""
PATIENCE: Final = 2.0
"""A fetch that takes this many times its timeout is taken for dead: a fork, for example, loses its thread."""

now = time.monotonic


class ReceiptRefused(Exception):
    """An invalid receipt.

    ``code`` is stable: malformed, wrong_algorithm, wrong_type, unknown_key, bad_signature, wrong_issuer,
    wrong_product, too_old, from_the_future or keys_unavailable.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


class FixedKeys:
    """The keys of a JWK set that the caller has fetched."""

    def __init__(self, jwks: Mapping[str, Any]) -> None:
        self._keys = read_keys(jwks)

    def get(self, key_id: str) -> OKPKey | None:
        """The key with this id (RFC 7638 thumbprint), or None."""
        return self._keys.get(key_id)


@dataclass
class _Fetch:
    """One fetch, on its own thread, so that a caller may give up waiting for it."""

    url: str
    timeout: float
    began: float
    done: threading.Event = field(default_factory=threading.Event)
    ended: float = 0.0
    document: dict[str, Any] | None = None
    fault: str = ""

    def start(self) -> _Fetch:
        threading.Thread(target=self._run, name="receipt-keys", daemon=True).start()
        return self

    def result(self) -> dict[str, Any]:
        """Wait for the key set until the timeout. Raises ``ReceiptRefused`` (keys_unavailable)."""
        left = self.began + self.timeout - now()
        if not self.done.wait(max(left, 0.0)):
            raise _unavailable(f"{self.url} did not answer within {self.timeout} seconds")
        if self.document is None:
            raise _unavailable(self.fault)
        return self.document

    def _run(self) -> None:
        try:
            document = _download(self.url, self.timeout)
            # An empty set, or a proxy's JSON, counts as a failure, so that the known keys stay.
            self.document = document if isinstance(document, dict) and read_keys(document) else None
            self.fault = f"{self.url} answers with no JWK set that has a key for receipts"
        except Exception as error:  # noqa: BLE001  # hosts catch ``ReceiptRefused`` only
            self.fault = f"{self.url} cannot be read: {type(error).__name__}"
        finally:
            self.ended = now()
            self.done.set()


class KeySet:
    """The keys at ``url``, fetched when first needed, and again when a receipt names an unknown key.

    There is at most one fetch a minute, whatever receipts name. After a failed one, ``get`` fails at once for
    5 seconds, then for 10, and so on up to a minute. A call waits at most ``timeout`` seconds; one for a
    known key never waits. Safe to share between threads.
    """

    def __init__(self, url: str, *, timeout: float = 5.0) -> None:
        self._url = url
        self._timeout = timeout
        self._lock = threading.Lock()
        self._keys: dict[str, OKPKey] = {}
        self._fetch: _Fetch | None = None
        self._taken: _Fetch | None = None
        self._failures = 0

    def get(self, key_id: str) -> OKPKey | None:
        """The key with this id, or None. Raises ``ReceiptRefused`` (keys_unavailable)."""
        # Without a lock, so that a forged receipt, which causes a fetch, cannot delay a valid one.
        known = self._keys.get(key_id)
        if known is not None:
            return known
        fetch = self._current()
        try:
            fetch.result()
        finally:
            self._take(fetch)
        return self._keys.get(key_id)

    def _current(self) -> _Fetch:
        """The last fetch, or a new one if that may be repeated."""
        with self._lock:
            if self._fetch is None or self._is_over(self._fetch):
                self._fetch = _Fetch(self._url, self._timeout, now()).start()
            return self._fetch

    def _is_over(self, fetch: _Fetch) -> bool:
        if not fetch.done.is_set():
            return now() - fetch.began > PATIENCE * self._timeout + 1.0
        wait = REFETCH_SECONDS
        if fetch.document is None:
            wait = min(RETRY_SECONDS * 2 ** max(self._failures - 1, 0), REFETCH_SECONDS)
        return now() - fetch.ended >= wait

    def _take(self, fetch: _Fetch) -> None:
        """Read the result of a fetch, once."""
        with self._lock:
            if not fetch.done.is_set() or fetch is self._taken:
                return
            self._taken = fetch
            if fetch.document is None:
                self._failures = min(self._failures + 1, 10)
            else:
                self._failures, self._keys = 0, read_keys(fetch.document)


def fetch_keys(url: str, *, timeout: float = 5.0) -> dict[str, Any]:
    """Fetch the BFF's JWK set within ``timeout`` seconds. Raises ``ReceiptRefused`` (keys_unavailable)."""
    return _Fetch(url, timeout, now()).start().result()


def read_keys(jwks: Mapping[str, Any]) -> dict[str, OKPKey]:
    """The Ed25519 keys of a set, by id. Keys of other types are skipped: they do not sign receipts."""
    keys = {}
    entries = jwks.get("keys")
    for entry in entries[:MOST_KEYS] if isinstance(entries, list) else []:
        if isinstance(entry, dict) and entry.get("kty") == "OKP" and entry.get("crv") == "Ed25519":
            try:
                key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": str(entry.get("x"))})
            except Exception:  # noqa: BLE001, S112  # an unusable key is skipped
                continue
            keys[key.thumbprint()] = key
    return keys


def _download(url: str, timeout: float) -> Any:
    """Fetch the JSON at ``url``. None for a status other than 200, or more than ``MAX_KEYS_BYTES``.

    The deadline is for the whole response: it also cuts a connection that delivers a byte at a time.
    """
    body = bytearray()
    with requests.Session() as session, deadline(timeout) as watch:
        for scheme in ("http://", "https://"):
            session.mount(scheme, WatchedAdapter())
        with session.get(url, timeout=timeout, allow_redirects=False, stream=True) as response:
            for chunk in response.iter_content(CHUNK):
                body += chunk
                if len(body) > MAX_KEYS_BYTES or watch.remaining() == 0:
                    return None
            return json.loads(body) if response.status_code == 200 else None


def _unavailable(fault: str) -> ReceiptRefused:
    return ReceiptRefused("keys_unavailable", fault)
