"""The BFF's public keys in a host's server: fetched seldom, by one thread, and never waited for in vain."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import requests
from joserfc.jwk import OKPKey

from bff.outbound.deadline import WatchedAdapter, deadline

MAX_KEYS_BYTES: Final = 64 * 1024
MOST_KEYS: Final = 100
"""Of one set so many keys are read: a BFF publishes one for each of its secret keys."""
CHUNK: Final = 4096
REFETCH_SECONDS: Final = 60.0
"""So long after a fetch no key id makes another."""
RETRY_SECONDS: Final = 5.0
"""So long after the first fetch that failed; twice as long after each further one, a minute at most."""
PATIENCE: Final = 2.0
"""A fetch that takes so many times its timeout has no thread any more: a process was forked, say."""

now = time.monotonic


class ReceiptRefused(Exception):
    """A receipt that proves nothing.

    ``code`` is stable: malformed, wrong_algorithm, wrong_type, unknown_key, bad_signature, wrong_issuer,
    wrong_product, too_old, from_the_future or keys_unavailable.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


class FixedKeys:
    """Keys of a JWK set that the caller has read already."""

    def __init__(self, jwks: Mapping[str, Any]) -> None:
        self._keys = read_keys(jwks)

    def get(self, key_id: str) -> OKPKey | None:
        """The key of this id, or None."""
        return self._keys.get(key_id)


@dataclass
class _Fetch:
    """One fetch, on a thread of its own: who waits for it may stop waiting."""

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
        """The set, waited for within the timeout. Raises ``ReceiptRefused`` (keys_unavailable)."""
        left = self.began + self.timeout - now()
        if not self.done.wait(max(left, 0.0)):
            raise _unavailable(f"{self.url} did not answer within {self.timeout} seconds")
        if self.document is None:
            raise _unavailable(self.fault)
        return self.document

    def _run(self) -> None:
        try:
            found = _download(self.url, self.timeout)
            # A proxy's JSON, or an empty set, is none: the keys that are known stay.
            self.document = found if isinstance(found, dict) and read_keys(found) else None
            self.fault = f"{self.url} answers with no JWK set that has a key for receipts"
        except Exception as error:  # noqa: BLE001  # whatever it is: a host knows one exception
            self.fault = f"{self.url} cannot be read: {type(error).__name__}"
        finally:
            self.ended = now()
            self.done.set()


class KeySet:
    """Keys fetched from the BFF when first needed, and again when a receipt names one that is not among them.

    At most one fetch a minute, whatever receipts name. After one that failed there is none for five seconds,
    then for ten, and so on up to a minute: until then ``get`` says so at once. A call waits ``timeout``
    seconds at most; one for a key that is known waits for nobody. Safe to share between threads.
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
        """The key of this id, or None. Raises ``ReceiptRefused`` (keys_unavailable)."""
        # A receipt whose key is known asks nobody: a forged one cannot delay it.
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
        """The fetch to look at: the last one, or another when its time has come."""
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
        """Read what it found, once."""
        with self._lock:
            if not fetch.done.is_set() or fetch is self._taken:
                return
            self._taken = fetch
            if fetch.document is None:
                self._failures = min(self._failures + 1, 10)
            else:
                self._failures, self._keys = 0, read_keys(fetch.document)


def fetch_keys(url: str, *, timeout: float = 5.0) -> dict[str, Any]:
    """The BFF's JWK set, within ``timeout`` seconds. Raises ``ReceiptRefused`` (keys_unavailable)."""
    return _Fetch(url, timeout, now()).start().result()


def read_keys(jwks: Mapping[str, Any]) -> dict[str, OKPKey]:
    """The Ed25519 keys of a set, by id. A set may hold others, for other purposes: they verify no receipt."""
    found = {}
    entries = jwks.get("keys")
    for entry in entries[:MOST_KEYS] if isinstance(entries, list) else []:
        if isinstance(entry, dict) and entry.get("kty") == "OKP" and entry.get("crv") == "Ed25519":
            try:
                key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": str(entry.get("x"))})
            except Exception:  # noqa: BLE001, S112  # nosec B112  # whatever is wrong with it: it is no key
                continue
            found[key.thumbprint()] = key
    return found


def _download(url: str, timeout: float) -> Any:
    """What stands at ``url``. Its connection is cut when the time is over, however slowly it drips."""
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
