"""Sends one delivery over HTTP: only to addresses that the policy allows, within a deadline, no redirects."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests
import structlog
from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import HTTPError, NewConnectionError, SSLError
from urllib3.exceptions import TimeoutError as NoAnswerInTime

from bff.serving import retry_after, tls
from bff.serving.deadline import current, deadline
from bff.serving.destinations import ForbiddenUrl, Policy
from bff.serving.logs import about
from bff.serving.pinned import connect_watched, pin

MOST_READ: Final = 16 * 1024
"""Bytes of a response body that are read before the connection is closed. The body is ignored."""
HEADERS: Final = {
    "Content-Type": "application/json",
    "User-Agent": "Hitchpost-Webhooks/1",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
log = structlog.get_logger("hitchpost.webhooks")


@dataclass(frozen=True)
class SendLimits:
    """Time-outs of a delivery in seconds: to connect to one address, for one read, and in total."""

    connect: float = 5.0
    read: float = 10.0
    total: float = 15.0


@dataclass(frozen=True)
class Outcome:
    """Result of one try, which lasted ``seconds``. ``error`` is None when the receiver answered 2xx.

    ``sick`` means that the receiver itself is in trouble, so other events would fail as well.
    ``retry_after`` is its ``Retry-After`` header in seconds.
    """

    status: int | None
    error: str | None
    seconds: float
    sick: bool = False
    retry_after: float | None = None


class Sender:
    """Sends deliveries to addresses that ``policy`` allows. Safe to use from many threads."""

    def __init__(self, policy: Policy, limits: SendLimits = SendLimits()) -> None:
        self._policy = policy
        self._limits = limits
        self._pools_lock = threading.Lock()
        self._pools: PoolManager | None = None

    def send(self, url: str, body: str, headers: Mapping[str, str]) -> Outcome:
        """Send one request. Never raises: a failure is part of the outcome."""
        began = time.monotonic()
        with deadline(self._limits.total) as watch:
            try:
                status, wait = self._post(url, body.encode(), {**HEADERS, **headers})
            except Exception as error:  # noqa: BLE001  # a malformed response counts as the receiver's failure
                code = "timed_out" if watch.fired else _code_of(error)
                if code == "bad_answer":
                    log.warning("unforeseen answer of a webhook receiver", **about(error))
                return Outcome(None, code, time.monotonic() - began, sick=True)
        seconds = time.monotonic() - began
        if watch.fired:
            # A response that the deadline cut within its headers may still parse.
            return Outcome(None, "timed_out", seconds, sick=True)
        return _outcome_of(status, wait, seconds)

    def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, float | None]:
        """Returns the status and the seconds of ``Retry-After``."""
        parts = self._policy.check(url)
        pool = self._manager().connection_from_url(url)
        pin(pool, self._open)
        path = parts.path or "/"
        response = pool.urlopen(
            "POST",
            f"{path}?{parts.query}" if parts.query else path,
            body=body,
            headers=headers,
            redirect=False,
            retries=False,
            timeout=Timeout(connect=self._limits.connect, read=self._limits.read),
            preload_content=False,
            decode_content=False,
        )
        try:
            _drain(response)
            sent = response.headers
            return response.status, retry_after.seconds(sent.get("Retry-After", ""), sent.get("Date", ""))
        finally:
            response.close()

    def _open(self, host: str, port: int, options: Any) -> socket.socket:
        watch = current()
        if watch is None:
            raise TimeoutError("no time left")
        return connect_watched(self._policy, watch, self._limits.connect, host, port, options)

    def _manager(self) -> PoolManager:
        with self._pools_lock:
            if self._pools is None:
                context = tls.client_context()
                # The CA bundle is loaded once here, instead of for each connection.
                context.load_verify_locations(requests.adapters.DEFAULT_CA_BUNDLE_PATH)
                self._pools = PoolManager(num_pools=100, maxsize=1, block=False, ssl_context=context)
            return self._pools


_CODES: Final[tuple[tuple[tuple[type[Exception], ...], str], ...]] = (
    ((ForbiddenUrl,), "forbidden_address"),
    ((SSLError, ssl.SSLError), "tls_failed"),
    ((NoAnswerInTime, TimeoutError), "timed_out"),
    ((HTTPError, OSError), "broken_off"),
)


def _outcome_of(status: int, wait: float | None, seconds: float) -> Outcome:
    if 200 <= status < 300:
        return Outcome(status, None, seconds)
    if status == 410:
        return Outcome(status, "gone", seconds)
    if 300 <= status < 400:
        return Outcome(status, "redirected", seconds, sick=True)
    busy = status in {408, 429} or status >= 500
    wait = wait if status in {429, 503} else None
    return Outcome(status, "refused", seconds, sick=busy, retry_after=wait)


def _drain(response: BaseHTTPResponse) -> None:
    """Read a short body before closing, so that the receiver gets no reset while it writes."""
    length = response.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and len(length) < 6 and int(length) <= MOST_READ:
        with contextlib.suppress(HTTPError, OSError):
            response.read(MOST_READ)


def _code_of(error: Exception) -> str:
    refused = isinstance(error, NewConnectionError)
    cause = error.__cause__ if refused else error
    for kinds, code in _CODES:
        if isinstance(cause, kinds):
            return "unreachable" if refused and code == "broken_off" else code
    return "bad_answer"
