"""gunicorn's own parts, where its defaults say too much or stop too soon."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import Any, Final

from gunicorn import util
from gunicorn.glogging import Logger
from gunicorn.http import message, wsgi

from bff.serving.bounds import MOST_REQUEST_LINE

HEADERS: Final = (
    "Cache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Content-Type-Options: nosniff\r\n"
)


class PlainLogger(Logger):  # type: ignore[misc]
    """Leaves the lines to the process's own logging, which writes them in one form with all others."""

    def setup(self, cfg: Any) -> None:
        """As gunicorn's, without handlers of its own."""
        super().setup(cfg)
        self.error_log.handlers[:] = []
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)


class _NamelessResponse(wsgi.Response):  # type: ignore[misc]
    def default_headers(self) -> list[str]:
        """Which server this is helps nobody but those who look for its faults."""
        lines: list[str] = super().default_headers()
        return [line for line in lines if not line.startswith("Server:")]


def _write_problem(sock: Any, status: int, _reason: str, _message: str) -> None:
    """What gunicorn refuses by itself, as a problem document (RFC 9457) without a word of the request."""
    title, ours = HTTPStatus(status).phrase, status == HTTPStatus.INTERNAL_SERVER_ERROR
    code, detail = (
        ("internal_error", "it has been logged") if ours else ("malformed_request", "no HTTP that we read")
    )
    body = json.dumps(
        {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}
    )
    head = (
        f"HTTP/1.1 {status} {title}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\n{HEADERS}\r\n"
    )
    util.write_nonblock(sock, (head + body).encode("latin-1"))


def install() -> None:
    """Put them in gunicorn's place. It has no setting for any of them, or none that goes so far."""
    message.MAX_REQUEST_LINE = MOST_REQUEST_LINE
    wsgi.Response = _NamelessResponse
    util.write_error = _write_problem
