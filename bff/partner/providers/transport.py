"""Sends one HTTP request to a third party, with an address policy, a deadline and a size limit."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
import structlog
from requests.adapters import HTTPAdapter

from bff.partner.providers.outbound import ForbiddenUrl, Policy
from bff.serving import retry_after
from bff.serving.logs import about
from bff.serving.pinned import connect, pin

MAX_BYTES: Final = 64 * 1024
"""The most bytes of a response of a token endpoint."""
MAX_LISTED_BYTES: Final = 2 * 1024 * 1024
"""The most bytes of a response that may list things, such as the plugins of a shop or a user's accounts."""
_REMAINING: Final = ("X-RateLimit-Remaining", "X-Rate-Limit-Remaining", "RateLimit-Remaining")
log = structlog.get_logger("hitchpost.embedded")


@dataclass(frozen=True)
class Limits:
    """Time limits of a call, in seconds: for connecting, for one read, and for the whole call.

    ``ends``: when all calls with these limits end, on the monotonic clock; None if they have no common end.
    """

    connect: float = 5.0
    read: float = 15.0
    total: float = 20.0
    ends: float | None = None

    @property
    def left(self) -> float:
        """Seconds that a call which begins now may take; at least 0."""
        return self.total if self.ends is None else max(0.0, min(self.total, self.ends - time.monotonic()))


@dataclass(frozen=True)
class Reply:
    """A response of any status. ``media_type`` is in lower case, without parameters."""

    status: int
    media_type: str
    body: bytes
    asks_less: bool = False
    """Whether its headers report rate limiting. Some third parties send these with status 403."""
    retry_after: float | None = None
    """Seconds until the next request is welcome (``Retry-After``); None if it does not tell."""
    cut: bool = False
    """Whether the body was longer than the limit. ``body`` is then its beginning."""


class NoReply(Exception):
    """No usable response: unreachable, disconnected, too slow, too large, malformed, or a forbidden URL.

    ``code`` is the error code of the reason.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def send(
    policy: Policy,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    form: Mapping[str, str] | None = None,
    body: bytes | None = None,
    limits: Limits = Limits(),
    most_bytes: int = MAX_BYTES,
    cuts: bool = False,
) -> Reply:
    """Send a request once. Uses no redirects, cookies, proxies or .netrc. Raises ``NoReply``.

    ``cuts``: return the beginning of a body longer than ``most_bytes``, in place of raising.
    """
    # Without compression, a decompression bomb is impossible.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
    with _call(policy, limits) as call, _Session() as session:
        policy.check(url)
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            session.mount(scheme, _PinnedAdapter(call))
        with session.request(
            method,
            url,
            headers=headers,
            data=form if body is None else body,
            timeout=(limits.connect, limits.read),
            allow_redirects=False,
            stream=True,
        ) as response:
            media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            read = _read(response, most_bytes)
            if (cut := len(read) > most_bytes) and not cuts:
                raise NoReply("third_party_answer_too_large")
            return Reply(
                response.status_code,
                media_type,
                read[:most_bytes],
                _is_rate_limited(response),
                _retry_after(response),
                cut,
            )


def _is_rate_limited(response: requests.Response) -> bool:
    # RFC 9110, section 10.2.3; the common rate-limit headers; a challenge by Cloudflare's proxy.
    sent = response.headers
    spent = any(sent.get(name, "").strip() == "0" for name in _REMAINING)
    return spent or "Retry-After" in sent or "CF-Mitigated" in sent


def _retry_after(response: requests.Response) -> float | None:
    sent = response.headers
    return retry_after.seconds(sent.get("Retry-After", ""), sent.get("Date", ""))


def _read(response: requests.Response, most_bytes: int) -> bytes:
    """The body; of one longer than ``most_bytes``, somewhat more than these."""
    body = bytearray()
    for chunk in response.iter_content(16 * 1024):
        body += chunk
        if len(body) > most_bytes:
            break
    return bytes(body)


@contextlib.contextmanager
def _call(policy: Policy, limits: Limits) -> Iterator[_Call]:
    call = _Call(policy, limits)
    try:
        yield call
    except ForbiddenUrl as error:
        raise NoReply("third_party_url_forbidden") from error
    except NoReply:
        raise
    except (requests.RequestException, OSError) as error:
        raise NoReply("third_party_too_slow" if call.over else "third_party_unreachable") from error
    except Exception as error:
        # Any other exception of the HTTP libraries is caused by the response: count it as malformed.
        log.error("unforeseen answer of a third party", **about(error))  # noqa: TRY400  # a trace would hold it
        raise NoReply("third_party_answer_not_understood") from error
    finally:
        call.end()
    if call.over:
        # A response cut off inside its headers may look complete.
        raise NoReply("third_party_too_slow")


class _Session(requests.Session):
    """Ignores redirects. Even unfollowed, requests would read the whole body and parse the Location."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Always None: treat no response as a redirect."""


class _Call:
    """Opens the sockets of one call, and shuts them down at its deadline.

    Socket timeouts apply to each read. Without a deadline, a server that sends one byte a second could block
    a thread indefinitely.
    """

    def __init__(self, policy: Policy, limits: Limits) -> None:
        self.over = False
        self._policy = policy
        seconds = limits.left
        self._ends = time.monotonic() + seconds
        self._connect = limits.connect
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def open(self, host: str, port: int, options: Any) -> socket.socket:
        """Connect to an allowed address of ``host``. Resolves it only once, against DNS rebinding."""
        opened = connect(
            self._policy, host, port, options, lambda: min(self._connect, self._ends - time.monotonic())
        )
        self._watch(opened)
        return opened

    def end(self) -> None:
        """Cancel the deadline and close the sockets."""
        self._timer.cancel()
        with self._lock:
            for watched in self._sockets:
                watched.close()
            self._sockets.clear()

    def _watch(self, opened: socket.socket) -> None:
        # Keep a duplicate: TLS detaches the original socket, and the handshake has to meet the deadline too.
        with self._lock:
            self._sockets.append(opened.dup())
        if self.over:
            self._cut()

    def _cut(self) -> None:
        with self._lock:
            self.over = True
            for watched in self._sockets:
                with contextlib.suppress(OSError):
                    watched.shutdown(socket.SHUT_RDWR)


class _PinnedAdapter(HTTPAdapter):
    """Sends requests over the connections of one call."""

    def __init__(self, call: _Call) -> None:
        self._call = call
        super().__init__()

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
        """Return the connection pool for a request. The call opens its connections."""
        pool: Any = super().get_connection_with_tls_context(*arguments, **options)
        pin(pool, self._call.open)
        return pool
