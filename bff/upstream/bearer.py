"""The access token for the partner service's API, held in this process: one asks for all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from bff.common.errors import PartnerUnavailable
from bff.common.secret import Secret
from bff.outbound.retry import chance
from bff.upstream.access_tokens import AccessToken, TokenSource

AGAIN_SECONDS: Final = 10.0
"""Seconds, about, between a failed renewal and the next, while the old token is still good.

More if the partner service names a longer time (``Retry-After``).
"""


class Bearer:
    """However many threads need a token at once, one asks ``source`` and the others wait for it.

    Renewal begins early; while it fails, or another thread does it, the old token is used until it ends. A
    failure is raised in the threads that waited, and not remembered.
    """

    def __init__(self, source: TokenSource, clock: Callable[[], float] = time.time) -> None:
        self._source = source
        self._clock = clock
        self._lock = threading.Condition()
        self._token: AccessToken | None = None
        self._renew_at = 0.0
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
            good = self._good(stale)
            if good and (self._fetching or self._clock() < self._renew_at):
                return good
            if self._fetching:
                return self._wait(stale)
            self._fetching = True
        return self._fetch_for_all(stale)

    def _good(self, stale: Secret | None) -> Secret | None:
        token = self._token
        usable = token is not None and self._clock() < token.ends_at and token.value != stale
        return token.value if token is not None and usable else None

    def _wait(self, stale: Secret | None) -> Secret:
        waited_for = self._round
        self._lock.wait_for(lambda: self._round != waited_for)
        if good := self._good(stale):
            return good
        said = self._failure or PartnerUnavailable("the partner service gave no new access token")
        raise PartnerUnavailable(said.detail, retry_after=said.retry_after, lasting=said.lasting)

    def _fetch_for_all(self, stale: Secret | None) -> Secret:
        token: AccessToken | None = None
        failure: PartnerUnavailable | None = None
        with self._lock:
            held, good = self._token, self._good(stale)
        try:
            unlike = [value for value in (stale, held.value if held else None) if value is not None]
            token = self._source.obtain(unlike, patient=good is None)
        except PartnerUnavailable as error:
            failure = error
            if good is None:
                raise
        finally:
            self._end_round(token, failure)
        with self._lock:
            good = self._good(stale)
        if good is None:
            # The old one ended while its successor was being fetched.
            raise failure or PartnerUnavailable("the partner service gave a token that has ended")
        return good

    def _end_round(self, token: AccessToken | None, failure: PartnerUnavailable | None) -> None:
        with self._lock:
            self._round += 1
            self._fetching = False
            self._failure = failure
            self._token = token or self._token
            if token is not None:
                self._renew_at = token.renew_at(chance())
            else:
                retry_after = (failure.retry_after or 0.0) if failure else 0.0
                self._renew_at = self._clock() + max(retry_after, AGAIN_SECONDS * (0.5 + chance()))
            self._lock.notify_all()
