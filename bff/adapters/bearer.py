"""The access token for the partner service's API: fetched once for all, renewed before it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bff.adapters.http_client import HttpClient
from bff.core.errors import PartnerUnavailable
from bff.core.secret import Secret

EARLY_SECONDS: Final = 300.0
EARLY_SHARE: Final = 0.1
OK: Final = 200


@dataclass(frozen=True)
class _Token:
    value: Secret
    renew_at: float


class Bearer:
    """Client credentials (RFC 6749, section 4.4; Cyclr's documentation, "API Authentication").

    However many threads need a token at once, one asks and the others wait for it. A failure is told to
    those who waited, and not remembered.
    """

    def __init__(
        self,
        http: HttpClient,
        client_id: str,
        client_secret: Secret,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._lock = threading.Condition()
        self._token: _Token | None = None
        self._fetching = False
        self._round = 0
        self._failure: PartnerUnavailable | None = None

    def token(self) -> Secret:
        """A token that is good for now. Raises ``PartnerUnavailable``."""
        return self._get(stale=None)

    def renew(self, stale: Secret) -> Secret:
        """A token other than ``stale``, which was refused. Raises ``PartnerUnavailable``."""
        return self._get(stale=stale)

    def _get(self, stale: Secret | None) -> Secret:
        with self._lock:
            if self._usable(stale):
                assert self._token is not None
                return self._token.value
            if self._fetching:
                return self._wait(stale)
            self._fetching = True
        return self._fetch_for_all()

    def _usable(self, stale: Secret | None) -> bool:
        token = self._token
        return token is not None and self._clock() < token.renew_at and token.value != stale

    def _wait(self, stale: Secret | None) -> Secret:
        waited_for = self._round
        self._lock.wait_for(lambda: self._round != waited_for)
        if self._usable(stale) and self._token is not None:
            return self._token.value
        said = self._failure or PartnerUnavailable("the partner service gave no new access token")
        raise PartnerUnavailable(said.detail, retry_after=said.retry_after)

    def _fetch_for_all(self) -> Secret:
        token: _Token | None = None
        failure: PartnerUnavailable | None = None
        try:
            token = self._fetch()
        except PartnerUnavailable as error:
            failure = error
            raise
        finally:
            with self._lock:
                self._round += 1
                self._fetching = False
                self._token = token or self._token
                self._failure = failure
                self._lock.notify_all()
        return token.value

    def _fetch(self) -> _Token:
        answer = self._http.send(
            "POST",
            "/oauth/token",
            form={
                "grant_type": "client_credentials",
                "client_id": self._client_id,
                "client_secret": self._client_secret.reveal(),
            },
        )
        found = answer.document() if answer.status == OK else {}
        document = found if isinstance(found, dict) else {}
        value, seconds = document.get("access_token"), _seconds(document.get("expires_in"))
        if not isinstance(value, str) or not value or seconds is None:
            raise PartnerUnavailable(
                f"the partner service gave no access token (status {answer.status}); check"
                " HITCHPOST_PARTNER_CLIENT_ID and HITCHPOST_PARTNER_CLIENT_SECRET"
            )
        early = min(EARLY_SECONDS, seconds * EARLY_SHARE)
        return _Token(Secret(value), self._clock() + seconds - early)


def _seconds(value: object) -> float | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        return None
    return float(value)
