"""The one way out to the partner service: bounded in time and size, and blind to what it need not follow."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from bff.core.errors import PartnerUnavailable

MAX_BODY_BYTES: Final = 2 * 1024 * 1024
POOL_SIZE: Final = 64
CHUNK: Final = 32 * 1024
LONGEST_RETRY_AFTER: Final = 3600.0


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


class HttpClient:
    """Sends requests below ``base_url``. Safe to use from many threads.

    No redirect is followed, no cookie kept, and neither proxies nor .netrc are taken from the environment:
    credentials go to the configured host and nowhere else.
    """

    def __init__(self, base_url: str, limits: Limits) -> None:
        self._base = base_url.rstrip("/")
        self._host = urlsplit(base_url).netloc
        self._limits = limits
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers["User-Agent"] = "hitchpost/0.1"
        adapter = _WatchedAdapter(pool_connections=1, pool_maxsize=POOL_SIZE)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str | bytes] | None = None,
        document: Any = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """One call. Raises ``PartnerUnavailable`` for no answer, a redirect, 429 and 5xx.

        ``path`` is percent-encoded already. A GET is sent once more when a kept connection turns out dead.
        """
        request = requests.Request(
            method, self._base + path, headers=dict(headers or {}), json=document, data=form, params=query
        )
        prepared = self._session.prepare_request(request)
        with self._deadline() as watch:
            try:
                answer = self._once(prepared)
            except requests.ConnectionError as error:
                if method != "GET" or watch.fired or isinstance(error, requests.Timeout):
                    raise
                answer = self._once(prepared)
        return self._usable(answer)

    def _once(self, prepared: requests.PreparedRequest) -> Answer:
        timeout = (self._limits.connect, self._limits.read)
        with self._session.send(prepared, timeout=timeout, allow_redirects=False, stream=True) as response:
            return Answer(response.status_code, response.headers, self._read(response))

    def _read(self, response: requests.Response) -> bytes:
        kept = bytearray()
        for chunk in response.iter_content(CHUNK):
            kept += chunk
            if len(kept) > MAX_BODY_BYTES:
                raise PartnerUnavailable(f"{self._host} sent more than {MAX_BODY_BYTES} bytes")
        return bytes(kept)

    @contextlib.contextmanager
    def _deadline(self) -> Iterator[_Watch]:
        # Timeouts of sockets are for each read: a server that sends one byte a second would hold a thread
        # for as long as it likes. So a watch cuts the connection when the whole call has had its time.
        watch = _Watch(self._limits.total)
        _calling.watch = watch
        try:
            yield watch
            if watch.fired:
                # Cut in the middle of its headers, an answer may look whole.
                raise TimeoutError
        except requests.Timeout:
            raise PartnerUnavailable(f"{self._host} did not answer in time") from None
        except (requests.RequestException, OSError) as error:
            said = "took too long" if watch.fired else f"broke off ({type(error).__name__})"
            raise PartnerUnavailable(f"the call to {self._host} {said}") from None
        finally:
            watch.stop()
            _calling.watch = None

    def _usable(self, answer: Answer) -> Answer:
        if answer.status in {429, 503}:
            wait = _retry_after(answer.headers.get("Retry-After", ""))
            raise PartnerUnavailable(f"{self._host} answered {answer.status}", retry_after=wait)
        if answer.status >= 500 or 300 <= answer.status < 400:
            raise PartnerUnavailable(f"{self._host} answered {answer.status}")
        return answer


class _Watch:
    """Cuts the connection of one call when its time is over."""

    def __init__(self, seconds: float) -> None:
        self.fired = False
        self._ends = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def over(self, connection: HTTPConnection) -> None:
        """Watch this connection from now on."""
        with self._lock:
            self._socket = connection.sock
            if self.fired:
                raise TimeoutError

    def stop(self) -> None:
        """The call has ended."""
        self._timer.cancel()
        with self._lock:
            self._socket = None

    def _cut(self) -> None:
        with self._lock:
            self.fired = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    # The plain socket's own shutdown: TLS's would wait for the other side.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Calling(threading.local):
    watch: _Watch | None = None


_calling: Final = _Calling()


class _WatchedHTTPConnection(HTTPConnection):
    def getresponse(self) -> Any:
        """Read the answer under the call's watch."""
        if _calling.watch is not None:
            _calling.watch.over(self)
        return super().getresponse()


class _WatchedHTTPSConnection(HTTPSConnection):
    def getresponse(self) -> Any:
        """Read the answer under the call's watch."""
        if _calling.watch is not None:
            _calling.watch.over(self)
        return super().getresponse()


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPSConnection


class _WatchedAdapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Use pools whose connections are watched."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


def _retry_after(text: str) -> float | None:
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_RETRY_AFTER)
