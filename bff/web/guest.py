"""What stands around the BFF inside a host's Flask app, so that it works whatever the host does to its own.

The host's hooks go on as they are. Ours comes before them, and a WSGI wrapper has the last word on the
headers of our own answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from flask import Flask, Response, request
from werkzeug.routing import RequestRedirect

from bff.serving.edge import App, Environ
from bff.web import headers
from bff.web.kit import audit
from bff.web.kit.mount import handles

Answer = Callable[[Exception], Response]
Headers = list[tuple[str, str]]

OWN_HEADERS: Final = frozenset(name.lower() for kind in headers.TABLE.values() for name in kind) - {
    "vary"
} | {
    "content-type",
    "cross-origin-embedder-policy",
    # It would cut the popup off from the page that opened it.
    "cross-origin-opener-policy",
    "clear-site-data",
    "refresh",
    "x-frame-options",
}
"""Headers of the BFF's responses that a host must not change: neither their values nor their absence."""
CROSS_ORIGIN: Final = "access-control-"


def before_hosts_hooks(app: Flask, answer: Answer, max_body_bytes: int) -> None:
    """Prepare each request for the BFF before any of the host's hooks runs, also those added later.

    Replaces the app's size limits, exempts the request from ``CSRFProtect`` (Flask-WTF) and from the
    ``Limiter`` (Flask-Limiter), and answers unknown paths itself, in place of the host's error pages.
    """
    exempted: set[object] = set()

    def prepare() -> Response | None:
        if not handles(app, request):
            return None
        request.max_content_length = request.max_form_memory_size = max_body_bytes
        request.max_form_parts = 1000
        _exempt_from_csrf(app, exempted)
        _exempt_from_limits(app, exempted)
        fault = request.routing_exception
        if fault is None or isinstance(fault, RequestRedirect):
            return None
        return headers.secure(audit.finish(answer(fault)))

    app.before_request_funcs.setdefault(None, []).insert(0, prepare)


def _exempt_from_csrf(app: Flask, exempted: set[object]) -> None:
    """Exempt the BFF's views from Flask-WTF, if the app has set it up.

    They have their own CSRF protection: a bearer token, a header that no other site's page can send together
    with the exact origin, or the Studio's own token. Each view is exempted by itself, because exempting a
    blueprint does not exempt the blueprints inside it.
    """
    extension = app.extensions.get("csrf")
    if extension is None or extension in exempted or not hasattr(extension, "exempt"):
        return
    for endpoint, view in app.view_functions.items():
        if endpoint.startswith("hitchpost."):
            extension.exempt(view)
    exempted.add(extension)


def _exempt_from_limits(app: Flask, exempted: set[object]) -> None:
    """Exempt the BFF's routes from Flask-Limiter, if the app has set it up. ``kit/limits.py`` limits them.

    Flask-Limiter's quick start allows 50 calls an hour in all. A page that waits for one sign-in needs more.
    """
    found = app.extensions.get("limiter", ())
    for extension in found if isinstance(found, Iterable) else (found,):
        if extension not in exempted and hasattr(extension, "request_filter"):
            extension.request_filter(lambda: handles(app, request))
            exempted.add(extension)


class LastWord:
    """WSGI wrapper that restores the BFF's own values of the headers in ``OWN_HEADERS``.

    ``begin`` is called with each request, also of the host's own, in the process that serves it.
    """

    def __init__(self, app: App, begin: Callable[[], None]) -> None:
        self._app = app
        self._begin = begin

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Serve the request. Responses of the host pass unchanged."""
        self._begin()
        # Middleware below may copy the environment: what is in it is the same list then.
        said: Headers = []
        environ[headers.SAID] = said

        def start(status: str, given: Headers, *more: Any) -> Any:
            return start_response(status, _settled(said, given) if said else given, *more)

        return self._app(environ, start)


def _settled(said: Sequence[tuple[str, str]], given: Headers) -> Headers:
    own = [(name, value) for name, value in said if _is_own(name)]
    public = any(name.lower() == "cache-control" and "public" in value for name, value in own)
    kept = [
        (name, value)
        for name, value in given
        # A cache would hand one user's cookie to all others.
        if not _is_own(name) and not (public and name.lower() == "set-cookie")
    ]
    return kept + own


def _is_own(name: str) -> bool:
    return name.lower() in OWN_HEADERS or name.lower().startswith(CROSS_ORIGIN)
