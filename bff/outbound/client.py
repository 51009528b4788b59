"""The HTTP client for the partner service and for key sets: bounded in time and size, without redirects."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import requests
import structlog
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError, ReadTimeoutError

from bff.common.errors import PartnerUnavailable
from bff.outbound.breaker import Breaker, CircuitOpen
from bff.outbound.long_strings import LongStrings
from bff.outbound.retry import Budget, Failure, Try, chance, wait_before_retry
from bff.serving import retry_after
from bff.serving.deadline import Watch, WatchedAdapter, deadline
from bff.serving.version import own_version

MAX_BODY_BYTES: Final = 4 * 1024 * 1024
"""Bytes kept of a body. Cyclr's page of 50 account connectors has up to 80 KiB for each without its icon."""
MAX_SENT_BYTES: Final = 128 * 1024 * 1024
"""Bytes read of a body, with icons: 50 account connectors with an icon of 2 MiB each."""
MAX_STRING_BYTES: Final = 16 * 1024
"""Longer JSON strings, which are icons, become empty. Access tokens have a few KiB at most."""
POOL_SIZE: Final = 64
CHUNK: Final = 32 * 1024
ONE_ACCOUNT: Final = "Hitchpost-One-Account"
"""Header by which the embedded service says that its error concerns one account: it is no outage."""
USUAL_RETRY_AFTER: Final = 5.0
"""Seconds to wait after a 429 without ``Retry-After``."""


@dataclass(frozen=True)
class Limits:
    """Time-outs in seconds: to connect, for one read, and for the whole call with its retry."""

    connect: float = 3.0
    read: float = 10.0
    total: float = 15.0


@dataclass(frozen=True)
class Answer:
    """A response with a status of 2xx or 4xx, except 429."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def document(self) -> Any:
        """Parse the body as JSON. Raises ``PartnerUnavailable``."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise PartnerUnavailable(f"the partner service answered {self.status} without JSON") from None

    def document_if_any(self) -> Any:
        """The body as JSON; None for any other, where the status says enough."""
        try:
            return self.document()
        except PartnerUnavailable:
            return None


class _TryFailed(Exception):
    """One try failed. ``error`` is raised to the caller unless a retry succeeds."""

    def __init__(self, failure: Failure, error: PartnerUnavailable) -> None:
        super().__init__(failure)
        self.failure = failure
        self.error = error


@dataclass(frozen=True)
class _Counts:
    """What the breaker counts as a failure of the upstream: see ``HttpClient.send``."""

    refusal_fails: bool
    asks_others: bool

    def failed(self, answer: Answer) -> bool | None:
        """Whether an answer is one; None if it says nothing. A healthy upstream sends 429."""
        status = answer.status
        if status >= 500 and (self.asks_others or ONE_ACCOUNT in answer.headers):
            return None
        return status >= (400 if self.refusal_fails else 500) and status != 429

    def broke(self, failure: Failure) -> bool | None:
        """Whether a call without a usable answer is one; None if it says nothing."""
        return None if failure is Failure.SLOW and self.asks_others else True


class _OneHostAdapter(WatchedAdapter):
    """An adapter for requests to one host, with the same TLS settings: it looks up their pool once."""

    _pool: Any = None

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
        """The pool of all requests."""
        if self._pool is None:
            self._pool = super().get_connection_with_tls_context(*arguments, **options)
        return self._pool


class HttpClient:
    """Sends requests below ``base_url``. Safe to use from many threads.

    It follows no redirects, keeps no cookies, and ignores proxies and .netrc of the environment, so that
    credentials go to the configured host only. A circuit breaker protects the upstream.
    """

    def __init__(
        self,
        base_url: str,
        limits: Limits,
        breaker: Breaker | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.breaker = breaker or Breaker()
        self._budget = Budget()
        self._pause = pause
        self._base = base_url.rstrip("/")
        self._host = urlsplit(base_url).netloc
        self._limits = limits
        self._adapter = _OneHostAdapter(pool_connections=1, pool_maxsize=POOL_SIZE)
        # An adapter without a Session, which would look up cookies, proxies and .netrc for each call.
        headers = {
            "User-Agent": f"hitchpost/{own_version()}",
            "Accept": "*/*",
            "Accept-Encoding": "gzip, deflate",
        }
        self._blank = requests.Request("GET", self._base, headers=headers).prepare()

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str | bytes] | None = None,
        document: Any = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        harmless: bool = False,
        refusal_fails: bool = False,
        asks_others: bool = False,
    ) -> Answer:
        """Send one request. Raises ``PartnerUnavailable`` for no response, a redirect, 429 and 5xx.

        ``path`` must be percent-encoded. ``document`` is sent as JSON, ``form`` as a URL-encoded form.
        ``harmless``: sending it twice has no other effect than once, so it may be retried (see ``retry.py``).
        ``refusal_fails``: no other call can succeed without this one, so the breaker counts a 4xx (except
        429) as a failure. ``asks_others``: the upstream asks somebody else during this call, so the breaker
        does not count a 5xx or a time-out.
        """
        prepared = self._prepare(method, path, headers or {}, document, form, query)
        self._budget.earn()
        counts = _Counts(refusal_fails, asks_others)
        with deadline(self._limits.total) as watch:
            try:
                return self._try(prepared, watch, counts)
            except _TryFailed as failed:
                error = failed.error
                tried = Try(method, harmless, failed.failure, error.retry_after, watch.remaining())
            wait = wait_before_retry(tried, chance())
            if wait is None or not self._budget.spend():
                raise error
            self._pause(wait)
            try:
                return self._try(prepared, watch, counts)
            except _TryFailed as failed:
                raise failed.error from None

    def _prepare(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str | bytes],
        document: Any,
        form: Mapping[str, str] | None,
        query: Mapping[str, str] | None,
    ) -> requests.PreparedRequest:
        prepared = self._blank.copy()
        prepared.method = method
        prepared.url = self._base + path + (f"?{urlencode(query)}" if query else "")
        prepared.headers.update(headers)  # type: ignore[arg-type]  # bytes are sent as they are
        if request_id := structlog.contextvars.get_contextvars().get("request_id"):
            # The embedded partner service logs this call under the same id.
            prepared.headers["X-Request-Id"] = str(request_id)
        body, kind = None, None
        if document is not None:
            body, kind = json.dumps(document).encode(), "application/json"
        elif form is not None:
            body, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
        if kind is not None:
            prepared.headers["Content-Type"] = kind
        prepared.body = body
        if body is not None or method != "GET":
            prepared.headers["Content-Length"] = str(len(body or b""))
        return prepared

    def _try(self, prepared: requests.PreparedRequest, watch: Watch, counts: _Counts) -> Answer:
        try:
            ticket = self.breaker.enter()
        except CircuitOpen as stopped:
            detail = f"{self._host} has failed too often; calls to it are paused for a moment"
            error = PartnerUnavailable(detail, retry_after=stopped.retry_after)
            raise _TryFailed(Failure.FAILED, error) from None
        failed: bool | None = True
        try:
            answer = self._answer(prepared, watch)
            failed = counts.failed(answer)
        except _TryFailed as broken:
            failed = counts.broke(broken.failure)
            raise
        finally:
            self.breaker.leave(ticket, failed=failed)
        return self._usable(answer)

    def _answer(self, prepared: requests.PreparedRequest, watch: Watch) -> Answer:
        try:
            answer = self._once(prepared)
        except _TryFailed:
            raise
        except Exception as error:  # noqa: BLE001  # a malformed response counts as the upstream's failure
            raise self._broken(error, watch) from None
        if watch.fired:
            # A response that the deadline cut within its headers may still parse.
            raise self._broken(TimeoutError(), watch)
        return answer

    def _once(self, prepared: requests.PreparedRequest) -> Answer:
        timeout = (self._limits.connect, self._limits.read)
        with self._adapter.send(prepared, timeout=timeout, stream=True) as response:
            return Answer(response.status_code, response.headers, self._read(response))

    def _read(self, response: requests.Response) -> bytes:
        kept, sent, shortened = bytearray(), 0, LongStrings(MAX_STRING_BYTES)
        for chunk in response.iter_content(CHUNK):
            sent += len(chunk)
            kept += shortened.feed(chunk)
            if len(kept) > MAX_BODY_BYTES or sent > MAX_SENT_BYTES:
                error = PartnerUnavailable(f"{self._host} sent more than {len(kept)} bytes")
                raise _TryFailed(Failure.FAILED, error)
        return bytes(kept + shortened.end())

    def _usable(self, answer: Answer) -> Answer:
        if answer.status < 300 or (400 <= answer.status < 500 and answer.status != 429):
            return answer
        wait = None
        if answer.status in {429, 503}:
            text = answer.headers.get("Retry-After", "")
            wait = retry_after.seconds(text, answer.headers.get("Date", ""))
        detail, busy = f"{self._host} answered {answer.status}", wait is not None
        if answer.status == 429 and wait is None:
            wait = USUAL_RETRY_AFTER
        error = PartnerUnavailable(detail, retry_after=wait, named=wait is not None)
        raise _TryFailed(Failure.BUSY if busy else Failure.FAILED, error)

    def _broken(self, error: Exception, watch: Watch) -> _TryFailed:
        if watch.fired:
            return _TryFailed(Failure.SLOW, PartnerUnavailable(f"the call to {self._host} took too long"))
        failure = _failure_of(error)
        if failure is Failure.BROKEN and watch.reused and _closed_by_peer(error):
            failure = Failure.DROPPED
        detail = {
            Failure.UNSENT: f"{self._host} takes no connection",
            Failure.SLOW: f"{self._host} did not answer in time",
        }.get(failure, f"the call to {self._host} broke off ({type(error).__name__})")
        return _TryFailed(failure, PartnerUnavailable(detail))


def _failure_of(error: Exception) -> Failure:
    cause = error.args[0] if error.args else None
    refused = isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
    if refused or isinstance(error, requests.ConnectTimeout):
        return Failure.UNSENT
    # requests wraps a read time-out within the body in a ConnectionError.
    if isinstance(error, requests.Timeout) or isinstance(cause, ReadTimeoutError):
        return Failure.SLOW
    if isinstance(error, requests.ConnectionError) and not isinstance(error, requests.exceptions.SSLError):
        return Failure.BROKEN
    return Failure.FAILED


def _closed_by_peer(error: Exception) -> bool:
    """Whether the peer closed the connection, by FIN or RST, before it sent the head of a response."""
    cause = error.args[0] if error.args else None
    return isinstance(cause, ProtocolError) and isinstance(cause.args[-1], ConnectionError)
