"""Writes down everything that a program on a socket is asked and answers, byte for byte."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Exchange:
    """One request and its answer. ``sent`` is the whole answer: status, headers and body."""

    method: str
    path: str
    authorization: str
    sent: str


@dataclass
class Recorder:
    """A WSGI layer around ``app``."""

    app: Any = None
    seen: list[Exchange] = field(default_factory=list)

    def around(self, app: Any) -> Recorder:
        """Put it around ``app``."""
        self.app = app
        return self

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """One request."""
        said: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            said.extend([status, *(f"{name}: {value}" for name, value in headers)])
            return start_response(status, headers, *rest)

        answered = self.app(environ, start)
        try:
            body = b"".join(answered)
        finally:
            getattr(answered, "close", lambda: None)()
        self.seen.append(
            Exchange(
                environ["REQUEST_METHOD"],
                environ["PATH_INFO"],
                environ.get("HTTP_AUTHORIZATION", ""),
                "\n".join(said) + "\n" + body.decode("utf-8", "replace"),
            )
        )
        return [body]
