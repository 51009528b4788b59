"""Routing for account ids that contain slashes: a percent-encoded slash does not split the path."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from werkzeug.routing import BaseConverter

STAND_IN: Final = "\ue000"
"""Escape character, private use: followed by ``s`` it is an encoded slash, by ``i`` the character itself."""
_SENT: Final = STAND_IN.encode().decode("latin-1")
_ENCODED_SLASH: Final = re.compile("%2f", re.IGNORECASE)
_ESCAPED: Final = re.compile(STAND_IN + "([si])")


class EncodedSlashes:
    """WSGI middleware that escapes encoded slashes: servers decode ``%2F`` in ``PATH_INFO``."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Rebuild ``PATH_INFO`` from the raw request target, and call the application."""
        raw = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "").partition("?")[0]
        path = [str(environ.get("PATH_INFO", ""))]
        if raw.startswith("/") and _ENCODED_SLASH.search(raw):
            path = [unquote_to_bytes(part).decode("latin-1") for part in _ENCODED_SLASH.split(raw)]
        escaped = f"{_SENT}s".join(part.replace(_SENT, f"{_SENT}i") for part in path)
        # Change the environ in place: outer middleware reads the route that the application stores in it.
        environ["PATH_INFO"] = escaped
        return self._app(environ, start_response)


class AnyText(BaseConverter):
    """URL converter that turns an escaped slash back into a slash."""

    def to_python(self, value: str) -> str:
        """Unescape the path segment."""
        return _ESCAPED.sub(lambda found: "/" if found[1] == "s" else STAND_IN, value)
