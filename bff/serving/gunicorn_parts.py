"""Replaces parts of gunicorn: logging, the ``Server`` header, error responses, the request line limit."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import Any, Final

from gunicorn import util
from gunicorn.glogging import Logger
from gunicorn.http import message, wsgi

from bff.serving.bounds import MOST_REQUEST_LINE
from bff.serving.security_headers import BARE, NO_PAGE

HEADERS: Final = "".join(f"{name}: {value}\r\n" for name, value in (BARE | NO_PAGE).items())


class PlainLogger(Logger):  # type: ignore[misc]
    """Passes gunicorn's log lines to the root logger, which writes them in the program's format."""

    def setup(self, cfg: Any) -> None:
        """Set up without gunicorn's handlers."""
        super().setup(cfg)
        self.error_log.handlers[:] = []
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)


class _NamelessResponse(wsgi.Response):  # type: ignore[misc]
    def default_headers(self) -> list[str]:
        """The default headers without ``Server``, which only helps attackers."""
        lines: list[str] = super().default_headers()
        return [line for line in lines if not line.startswith("Server:")]


def _write_problem(sock: Any, status: int, _reason: str, _message: str) -> None:
    """Answer a request that gunicorn refuses with a problem document (RFC 9457) without quotes from it."""
    title, is_internal = HTTPStatus(status).phrase, status == HTTPStatus.INTERNAL_SERVER_ERROR
    code, detail = (
        ("internal_error", "it has been logged")
        if is_internal
        else ("malformed_request", "no HTTP that we read")
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
    """Install the replacements. gunicorn has no settings for them, or none with these values."""
    message.MAX_REQUEST_LINE = MOST_REQUEST_LINE
    wsgi.Response = _NamelessResponse
    util.write_error = _write_problem
