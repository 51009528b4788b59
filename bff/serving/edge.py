"""WSGI middleware that checks requests before routing: host, size and body. Assigns ids and logs requests."""

from __future__ import annotations

import io
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wsgi import ClosingIterator

from bff.serving import metrics
from bff.serving.addresses import client_address
from bff.serving.bounds import head_fault
from bff.serving.hosts import LOOPBACK, host_name
from bff.serving.large_bodies import LargeBodies, sender_of

REQUEST_ID: Final = "hitchpost.request_id"
CLIENT_WAIT: Final = "hitchpost.client_wait"
"""Key in the WSGI environment: a function that returns a context manager, which limits a wait for the client
and raises ``TimeoutError``. Only set by servers that can do so."""
ROUTE: Final = "hitchpost.route"
UNMATCHED: Final = "(none)"
DENIALS: Final = frozenset({401, 403, 429})
"""Statuses that the audit log tells."""

SMALL_BODY_BYTES: Final = 16 * 1024
RETRY_SECONDS: Final = "5"

_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHOD: Final = re.compile(r"[A-Z]{1,16}")

log = structlog.get_logger("hitchpost.request")

Environ = dict[str, Any]
App = Callable[[Environ, Any], Iterable[bytes]]
Refuse = Callable[[int, str, str], App]
"""Returns the WSGI app that refuses a request, for a status, code and detail. Each program has its own."""


class Edge:
    """WSGI middleware around a whole program.

    ``hosts``: host names without ports; requests for others are refused, and the response repeats nothing of
    them. ``hops``: number of proxies in front, which set X-Forwarded-For and X-Forwarded-Proto; with 0, these
    headers are ignored. ``longer``: maximum characters of path and query, by path, for paths that may have
    more than ``bounds.MOST_TARGET``.
    """

    def __init__(
        self,
        app: App,
        *,
        hosts: Iterable[str],
        hops: int,
        max_body_bytes: int,
        refuse: Refuse,
        longer: Mapping[str, int] = {},
    ) -> None:
        self._app = ProxyFix(_Addressed(app), x_for=hops, x_proto=hops, x_host=0) if hops else app
        self._hosts = frozenset(hosts)
        self._most = max_body_bytes
        self._refuse = refuse
        self._longer = longer
        self._hops = hops
        self._large = LargeBodies()

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Handle one request, and log one line about it."""
        name, began = request_id(environ), time.monotonic()
        sent: dict[str, int] = {}

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            sent["status"] = int(status[:3])
            headers[:] = [item for item in headers if item[0].lower() != "x-request-id"]
            headers.append(("X-Request-Id", name))
            if sent["status"] in {429, 503} and not any(item[0].lower() == "retry-after" for item in headers):
                headers.append(("Retry-After", RETRY_SECONDS))
            return start_response(status, headers, *more)

        structlog.contextvars.bind_contextvars(request_id=name)
        metrics.busy(1)
        app = self._refusal(environ) or self._app
        try:
            body = app(environ, start)
        except BaseException:
            _log_request(environ, 500, began)
            raise
        return ClosingIterator(body, lambda: _log_request(environ, sent.get("status", 500), began))

    def _refusal(self, environ: Environ) -> App | None:
        if host_name(environ.get("HTTP_HOST", "")) not in self._hosts:
            return self._refuse(
                400, "malformed_request", "this program does not serve the host of the request"
            )
        if fault := head_fault(environ, self._longer):
            status, detail = fault
            return self._refuse(status, "malformed_request", detail)
        return self._refusal_of_body(environ)

    def _refusal_of_body(self, environ: Environ) -> App | None:
        length = str(environ.get("CONTENT_LENGTH") or "0")
        if not length.isascii() or not length.isdigit():
            return self._refuse(400, "malformed_request", "Content-Length is no number")
        if len(length) > 12 or int(length) > self._most:
            return self._too_large()
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        if chunked or int(length):
            return self._take_body(environ, self._most + 1 if chunked else int(length), chunked=chunked)
        return None

    def _take_body(self, environ: Environ, size: int, *, chunked: bool) -> App | None:
        """Read the whole body before routing, so that a slow sender holds no thread or connection.

        The length of a chunked body is then known, and Flask can check it against the route's maximum.
        """
        large = size > SMALL_BODY_BYTES
        sender = sender_of(environ, self._hops) if large else ""
        if large and not self._large.begin(sender):
            return self._refuse(
                429, "rate_limited", "many large bodies are being sent; try again in a moment"
            )
        try:
            with environ.get(CLIENT_WAIT, nullcontext)():
                body = environ["wsgi.input"].read(size)
        except TimeoutError:
            return self._refuse(408, "request_timeout", "the body did not come in time")
        except (OSError, ValueError):
            return self._refuse(400, "malformed_request", "the body broke off, or its chunks are none")
        finally:
            if large:
                self._large.end(sender)
        if len(body) > self._most:
            return self._too_large()
        if not chunked and len(body) < size:
            return self._refuse(400, "malformed_request", "the body broke off")
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        environ.pop("wsgi.input_terminated", None)
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        return None

    def _too_large(self) -> App:
        return self._refuse(413, "payload_too_large", f"a body has at most {self._most} bytes")


class _Addressed:
    """Normalizes ``REMOTE_ADDR`` after ``ProxyFix``, as some proxies add the client's port.

    Falls back to the address of the TCP connection if the proxies sent no valid address.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        peer = environ.get("werkzeug.proxy_fix.orig", {}).get("REMOTE_ADDR", "")
        environ["REMOTE_ADDR"] = client_address(environ.get("REMOTE_ADDR") or "") or peer
        return self._app(environ, start_response)


def trusted(public_url: str, more: str, bind: str, *, development: bool) -> frozenset[str]:
    """The accepted host names: of ``public_url``, those in ``more`` (comma-separated), and of ``bind``."""
    public = urlsplit(public_url).netloc.rpartition("@")[2]
    listed = [item.strip() for item in more.split(",") if item.strip()]
    names = {host_name(item) for item in [public, *listed, bind]}
    return frozenset(name for name in names if name) | (LOOPBACK if development else frozenset())


def request_id(environ: Environ) -> str:
    """The request's id: its X-Request-Id if that is valid (``_ID``), else a new one."""
    if REQUEST_ID not in environ:
        header = str(environ.get("HTTP_X_REQUEST_ID", ""))
        environ[REQUEST_ID] = header if _ID.fullmatch(header) else "req_" + secrets.token_hex(12)
    name: str = environ[REQUEST_ID]
    return name


def _log_request(environ: Environ, status: int, began: float) -> None:
    # The route's rule instead of the path and query, which may contain secrets.
    method, route = str(environ.get("REQUEST_METHOD", "")), str(environ.get(ROUTE, UNMATCHED))
    seconds = time.monotonic() - began
    metrics.busy(-1)
    metrics.request(route, method, status, seconds)
    if not (route.endswith(("/health/live", "/health/ready")) and status == 200):
        log.info(
            "request",
            method=method if _METHOD.fullmatch(method) else "(other)",
            route=route,
            status=status,
            ms=round(seconds * 1000),
            client=environ.get("REMOTE_ADDR", ""),
        )
    structlog.contextvars.clear_contextvars()
