"""Account ids are any text, also with a slash: a percent-encoded one must not split the path."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from werkzeug.routing import BaseConverter

STAND_IN: Final = "\ue000"
"""A private-use character that stands for an encoded slash between the server and the routes."""


class EncodedSlashes:
    """WSGI middleware: servers decode ``%2F`` before routing; this keeps it apart from a real slash."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Route by the path as it was sent."""
        raw = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "").partition("?")[0]
        if "%2f" in raw.lower() and raw.startswith("/"):
            kept = raw.replace("%2f", STAND_IN).replace("%2F", STAND_IN)
            environ = {**environ, "PATH_INFO": unquote_to_bytes(kept).decode("latin-1")}
        return self._app(environ, start_response)


class AnyText(BaseConverter):
    """A path segment in which an encoded slash is a slash."""

    def to_python(self, value: str) -> str:
        """The text that the client meant."""
        return value.replace(STAND_IN, "/")
