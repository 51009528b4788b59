"""A WSGI app that answers while a worker cannot build its application, so that health checks get a reason."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from bff.serving.logs import tell_of_failed_start
from bff.serving.security_headers import BARE, NO_PAGE

FIRST_REST, LONGEST_REST = 0.5, 5.0
"""Minimum and maximum seconds between two tries; doubled with each."""
HEADERS: Final = tuple((BARE | NO_PAGE).items())


class StandIn(threading.Thread):
    """Reports alive and not ready until ``build`` has succeeded, then forwards to the application."""

    def __init__(self, build: Callable[[], Any]) -> None:
        super().__init__(name="starting", daemon=True)
        self._build = build
        self._app: Any = None

    def run(self) -> None:
        """Call ``build`` until it succeeds."""
        rest = FIRST_REST
        while self._app is None:
            time.sleep(rest)  # house-allow: sleep: its own thread, which waits for the next try
            rest = min(rest * 2, LONGEST_REST)
            try:
                self._app = self._build()
            except Exception as error:  # noqa: BLE001  # logged, then tried again
                tell_of_failed_start(error)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        if self._app is not None:
            answer: Iterable[bytes] = self._app(environ, start_response)
            return answer
        path = environ.get("PATH_INFO", "")
        if path == "/health/live":
            return _answer(start_response, "200 OK", "application/json", {"status": "ok"})
        if path == "/health/ready":
            unready = {"status": "unready", "lacking": "database"}
            return _answer(start_response, "503 Service Unavailable", "application/json", unready)
        problem = {
            "type": "about:blank",
            "title": "Service Unavailable",
            "status": 503,
            "code": "storage_unavailable",
            "detail": "the program is starting, or waits for its database",
        }
        return _answer(start_response, "503 Service Unavailable", "application/problem+json", problem)


def _answer(start_response: Any, status: str, kind: str, body: dict[str, Any]) -> list[bytes]:
    text = json.dumps(body).encode()
    retry = [] if status.startswith("200") else [("Retry-After", "5")]
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(text))), *retry, *HEADERS])
    return [text]
