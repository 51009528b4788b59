"""A host's Flask app that does to its own pages all that an app may do, and is mounted below /app itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from flask import Flask, Response, g, request, session
from flask.json.provider import DefaultJSONProvider
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from bff import Hitchpost
from tests.support.mounted import mount

ROOT = "/app"


class _Enveloped(DefaultJSONProvider):
    """Every JSON answer of the host is wrapped."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """As ``{"data": ...}``."""
        return super().dumps({"data": obj}, **kwargs)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Without it."""
        return super().loads(s, **kwargs)["data"]


class _Refreshed(SecureCookieSessionInterface):
    """The session's cookie is set anew with every answer."""

    def should_set_cookie(self, _app: Flask, _session: Any) -> bool:
        """Always."""
        return True


class _Plain(Response):
    default_mimetype = "application/x-host"


class DifficultFlask(Flask):
    """Own delimiters, strict, nothing escaped, own JSON, own answers, own sessions."""

    jinja_options: ClassVar[dict[str, Any]] = {
        "variable_start_string": "[[",
        "variable_end_string": "]]",
        "undefined": StrictUndefined,
    }
    json_provider_class = _Enveloped
    session_interface = _Refreshed()
    response_class = _Plain

    def select_jinja_autoescape(self, _filename: str | None) -> bool:
        """Nowhere."""
        return False


def create(url: str, folder: Path, partner: str, *, csrf_first: bool, prefix: str) -> tuple[Any, Hitchpost]:
    """The host as a WSGI app, and what is mounted in it; its ``CSRFProtect`` came first, or last."""
    templates = folder / "templates" / "hitchpost"
    templates.mkdir(parents=True, exist_ok=True)
    for name in ("base.html", "error.html", "opening.html"):
        (templates / name).write_text("a template of the host's own")
    app = DifficultFlask("difficult", template_folder=str(folder / "templates"))
    app.config.update(
        MAX_CONTENT_LENGTH=20,
        MAX_FORM_MEMORY_SIZE=20,
        MAX_FORM_PARTS=0,
        SERVER_NAME="app.example:8443",
        APPLICATION_ROOT=ROOT,
        USE_X_SENDFILE=True,
        SEND_FILE_MAX_AGE_DEFAULT=5,
        TRAP_HTTP_EXCEPTIONS=True,
    )
    app.url_map.strict_slashes = False
    if csrf_first:
        CSRFProtect(app)
    mounted = mount(app, url, folder, partner, root=ROOT, prefix=prefix, housekeeping="off")
    if not csrf_first:
        CSRFProtect(app)
    _hooks(app)
    _pages(app, mounted)
    return DispatcherMiddleware(NotFound(), {ROOT: app.wsgi_app}), mounted


def _hooks(app: Flask) -> None:
    app.context_processor(lambda: {"shop": g.shop})  # There is none on our requests.
    for status in (400, 403, 404, 405, 410, 413, 415, 422, Exception):
        app.register_error_handler(status, lambda _error: ("a page of the host's own", 200))

    @app.after_request
    def secure(response: Response) -> Response:
        response.headers.update(
            {
                "Content-Security-Policy": "default-src 'self'; form-action 'self'",
                "Cross-Origin-Opener-Policy": "same-origin",
                "Cross-Origin-Resource-Policy": "same-origin",
                "Referrer-Policy": "no-referrer",
                "X-Frame-Options": "SAMEORIGIN",
                "Access-Control-Allow-Origin": "*",
                "Cache-Control": "public, max-age=600",
            }
        )
        return response

    @app.teardown_request
    def leave(_error: BaseException | None) -> None:
        g.pop("shop", None)


def _pages(app: Flask, mounted: Hitchpost) -> None:
    @app.before_request
    def require_shop() -> tuple[str, int] | None:
        """Every page of the host's is for a shop; the BFF's ask themselves who calls."""
        if mounted.handles(request) or "user" in session or request.endpoint in {"sign_in", "token", None}:
            return None
        return "sign in", 401

    @app.post("/change")
    def change() -> str:
        return "changed"
