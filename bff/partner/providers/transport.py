"""One request to a third party: to an address that the policy allows, within a deadline and a size."""

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
from bff.serving.logs import about
from bff.serving.pinned import connect, pin

MAX_BYTES: Final = 64 * 1024
log = structlog.get_logger("hitchpost.embedded")


@dataclass(frozen=True)
class Limits:
    """How long a call may take, in seconds: to connect to an address, for one read, and as a whole."""

    connect: float = 5.0
    read: float = 15.0
    total: float = 20.0


@dataclass(frozen=True)
class Reply:
    """What came back, whatever its status; ``media_type`` without parameters, in lower case."""

    status: int
    media_type: str
    body: bytes
    asks_less: bool = False
    """Whether it says, by a header, that it was asked too often: some do so with status 403."""


class NoReply(Exception):
    """The third party cannot be reached, broke off, took too long, sent too much or what nobody understands.

    ``code`` says which.
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
) -> Reply:
    """Send it once. No redirect, cookie, proxy or .netrc is used. Raises ``NoReply``."""
    # Answers are small: without compression there is no bomb to defuse.
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
            return Reply(response.status_code, media_type, _read(response), _asks_less(response))


def _asks_less(response: requests.Response) -> bool:
    # RFC 9110, section 10.2.3; the usual header of rate limits; a proxy's challenge in place of the service.
    told = response.headers
    return "Retry-After" in told or told.get("X-RateLimit-Remaining") == "0" or "CF-Mitigated" in told


def _read(response: requests.Response) -> bytes:
    kept = bytearray()
    for chunk in response.iter_content(16 * 1024):
        kept += chunk
        if len(kept) > MAX_BYTES:
            raise NoReply("third_party_answer_too_large")
    return bytes(kept)


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
        # Whatever the libraries do not foresee, the third party has brought about: it is its failure.
        log.error("unforeseen answer of a third party", **about(error))  # noqa: TRY400  # a trace would hold it
        raise NoReply("third_party_answer_not_understood") from error
    finally:
        call.end()
    if call.over:
        # Cut in the middle of its headers, an answer may look whole.
        raise NoReply("third_party_too_slow")


class _Session(requests.Session):
    """Follows no redirect, nor prepares to: requests would read all of its body, and parse where it leads."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """No answer leads anywhere."""


class _Call:
    """Opens the connection of one call, and cuts it when the call has had its time.

    Time-outs of sockets are for each read: a server that sends a byte a second would hold a thread for as
    long as it likes.
    """

    def __init__(self, policy: Policy, limits: Limits) -> None:
        self.over = False
        self._policy = policy
        self._ends = time.monotonic() + limits.total
        self._connect = limits.connect
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(limits.total, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def open(self, host: str, port: int, options: Any) -> socket.socket:
        """Connect to one of the allowed addresses of ``host``, which is resolved this once."""
        opened = connect(
            self._policy, host, port, options, lambda: min(self._connect, self._ends - time.monotonic())
        )
        self._watch(opened)
        return opened

    def end(self) -> None:
        """The call is over."""
        self._timer.cancel()
        with self._lock:
            for watched in self._sockets:
                watched.close()
            self._sockets.clear()

    def _watch(self, opened: socket.socket) -> None:
        # A duplicate: TLS takes the socket itself over, and its handshake must end in time as well.
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
    """Uses connections of one call."""

    def __init__(self, call: _Call) -> None:
        self._call = call
        super().__init__()

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
        """The pool for a request, its connections opened by the call."""
        pool: Any = super().get_connection_with_tls_context(*arguments, **options)
        pin(pool, self._call.open)
        return pool
