"""Account ids are any text, also with a slash: a percent-encoded one must not split the path."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from werkzeug.routing import BaseConverter

STAND_IN: Final = "\ue000"
"""A private-use character: with ``s`` after it an encoded slash, with ``i`` itself. No text means another."""
_SENT: Final = STAND_IN.encode().decode("latin-1")
_ENCODED_SLASH: Final = re.compile("%2f", re.IGNORECASE)
_ESCAPED: Final = re.compile(STAND_IN + "([si])")


class EncodedSlashes:
    """WSGI middleware: servers decode ``%2F`` before routing; this keeps it apart from a real slash."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Route by the path as it was sent."""
        raw = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "").partition("?")[0]
        path = [str(environ.get("PATH_INFO", ""))]
        if raw.startswith("/") and _ENCODED_SLASH.search(raw):
            path = [unquote_to_bytes(part).decode("latin-1") for part in _ENCODED_SLASH.split(raw)]
        kept = f"{_SENT}s".join(part.replace(_SENT, f"{_SENT}i") for part in path)
        # The same environment: what the application notes in it (the route) is read outside of here.
        environ["PATH_INFO"] = kept
        return self._app(environ, start_response)


class AnyText(BaseConverter):
    """A path segment in which an encoded slash is a slash."""

    def to_python(self, value: str) -> str:
        """The text that the client meant."""
        return _ESCAPED.sub(lambda found: "/" if found[1] == "s" else STAND_IN, value)
