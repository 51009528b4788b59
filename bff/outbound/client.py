"""The one way out to the partner service: bounded in time and size, and blind to what it need not follow."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import requests
import structlog
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError, ReadTimeoutError

from bff.common.errors import PartnerUnavailable
from bff.outbound.breaker import Breaker, CircuitOpen
from bff.outbound.deadline import Watch, WatchedAdapter, deadline
from bff.outbound.long_strings import LongStrings
from bff.outbound.retry import Budget, Failure, Try, chance, wait_before_retry
from bff.serving.version import own_version

MAX_BODY_BYTES: Final = 4 * 1024 * 1024
"""Kept of a body. A page of 50 account connectors has 80 KiB for each, beside its icon."""
MAX_SENT_BYTES: Final = 128 * 1024 * 1024
"""Read of a body: 50 account connectors with an icon of 2 MiB each."""
MAX_STRING_BYTES: Final = 16 * 1024
"""No string that is used here is longer: access tokens, the longest, have a few KiB."""
POOL_SIZE: Final = 64
CHUNK: Final = 32 * 1024
LONGEST_RETRY_AFTER: Final = 3600.0
USUAL_RETRY_AFTER: Final = 5.0
"""After a 429 that names no time."""


@dataclass(frozen=True)
class Limits:
    """How long a call may take, in seconds: to connect, for one read, and as a whole."""

    connect: float = 3.0
    read: float = 10.0
    total: float = 15.0


@dataclass(frozen=True)
class Answer:
    """What came back, whatever its status below 500."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def document(self) -> Any:
        """The body as JSON. Raises ``PartnerUnavailable``."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise PartnerUnavailable(f"the partner service answered {self.status} without JSON") from None


class _TryFailed(Exception):
    """One try failed; ``told`` is what to say of it if there is no other."""

    def __init__(self, failure: Failure, told: PartnerUnavailable) -> None:
        super().__init__(failure)
        self.failure = failure
        self.told = told


class HttpClient:
    """Sends requests below ``base_url``. Safe to use from many threads.

    No redirect is followed, no cookie kept, and neither proxies nor .netrc are taken from the environment:
    credentials go to the configured host and nowhere else. An upstream that fails is left alone for a while.
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
        self._adapter = WatchedAdapter(pool_connections=1, pool_maxsize=POOL_SIZE)
        # A session would look for cookies, proxies, redirects and .netrc with each call: none is wanted.
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
    ) -> Answer:
        """One call. Raises ``PartnerUnavailable`` for no answer, a redirect, 429 and 5xx.

        ``path`` is percent-encoded already. ``harmless``: sent twice, it does no more harm than once; what
        is sent once more, and when, is the table in ``retry.py``. ``refusal_fails``: without this call no
        other can succeed, so a 4xx (but 429) is a failure of the upstream to the breaker.
        """
        prepared = self._prepare(method, path, headers or {}, document, form, query)
        self._budget.earn()
        bad_from = 400 if refusal_fails else 500
        with deadline(self._limits.total) as watch:
            try:
                return self._try(prepared, watch, bad_from)
            except _TryFailed as failed:
                told = failed.told
                tried = Try(method, harmless, failed.failure, told.retry_after, 1, watch.remaining())
            wait = wait_before_retry(tried, chance())
            if wait is None or not self._budget.spend():
                raise told
            self._pause(wait)
            try:
                return self._try(prepared, watch, bad_from)
            except _TryFailed as failed:
                raise failed.told from None

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
            # Its lines in the other program's log have the same id.
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

    def _try(self, prepared: requests.PreparedRequest, watch: Watch, bad_from: int) -> Answer:
        try:
            ticket = self.breaker.enter()
        except CircuitOpen as stopped:
            said = f"{self._host} has failed too often and is left alone for a moment"
            told = PartnerUnavailable(said, retry_after=stopped.retry_after)
            raise _TryFailed(Failure.FAILED, told) from None
        failed = True
        try:
            answer = self._once(prepared)
        except _TryFailed:
            raise
        except Exception as error:  # noqa: BLE001  # whatever an answer brings about, it is the upstream's failure
            raise self._broken(error, watch) from None
        else:
            if watch.fired:
                # Cut in the middle of its headers, an answer may look whole.
                raise self._broken(TimeoutError(), watch)
            # 429 is no failure of the upstream's: it works, and says so.
            failed = answer.status >= bad_from and answer.status != 429
            return self._usable(answer)
        finally:
            self.breaker.leave(ticket, failed=failed)

    def _once(self, prepared: requests.PreparedRequest) -> Answer:
        timeout = (self._limits.connect, self._limits.read)
        with self._adapter.send(prepared, timeout=timeout, stream=True) as response:
            return Answer(response.status_code, response.headers, self._read(response))

    def _read(self, response: requests.Response) -> bytes:
        kept, sent, short = bytearray(), 0, LongStrings(MAX_STRING_BYTES)
        for chunk in response.iter_content(CHUNK):
            sent += len(chunk)
            kept += short.feed(chunk)
            if len(kept) > MAX_BODY_BYTES or sent > MAX_SENT_BYTES:
                told = PartnerUnavailable(f"{self._host} sent more than {len(kept)} bytes")
                raise _TryFailed(Failure.FAILED, told)
        return bytes(kept + short.end())

    def _usable(self, answer: Answer) -> Answer:
        if answer.status < 300 or (400 <= answer.status < 500 and answer.status != 429):
            return answer
        wait = None
        if answer.status in {429, 503}:
            wait = _retry_after(answer.headers.get("Retry-After", ""))
        said, busy = f"{self._host} answered {answer.status}", wait is not None
        if answer.status == 429 and wait is None:
            wait = USUAL_RETRY_AFTER
        told = PartnerUnavailable(said, retry_after=wait, named=wait is not None)
        raise _TryFailed(Failure.BUSY if busy else Failure.FAILED, told)

    def _broken(self, error: Exception, watch: Watch) -> _TryFailed:
        if watch.fired:
            return _TryFailed(Failure.SLOW, PartnerUnavailable(f"the call to {self._host} took too long"))
        failure = _failure_of(error)
        if failure is Failure.BROKEN and watch.kept and _is_ended(error):
            failure = Failure.DROPPED
        said = {
            Failure.UNSENT: f"{self._host} takes no connection",
            Failure.SLOW: f"{self._host} did not answer in time",
        }.get(failure, f"the call to {self._host} broke off ({type(error).__name__})")
        return _TryFailed(failure, PartnerUnavailable(said))


def _failure_of(error: Exception) -> Failure:
    cause = error.args[0] if error.args else None
    refused = isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
    if refused or isinstance(error, requests.ConnectTimeout):
        return Failure.UNSENT
    # A read that times out within the body comes as a ConnectionError around it.
    if isinstance(error, requests.Timeout) or isinstance(cause, ReadTimeoutError):
        return Failure.SLOW
    if isinstance(error, requests.ConnectionError) and not isinstance(error, requests.exceptions.SSLError):
        return Failure.BROKEN
    return Failure.FAILED


def _is_ended(error: Exception) -> bool:
    """Whether the other side ended the connection, by FIN or RST, before the head of an answer was there."""
    cause = error.args[0] if error.args else None
    return isinstance(cause, ProtocolError) and isinstance(cause.args[-1], ConnectionError)


def _retry_after(text: str) -> float | None:
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        wait = (moment - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(wait, 0.0), LONGEST_RETRY_AFTER)
