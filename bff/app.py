"""Builds the Flask app: as a program of its own, or mounted in a host's app."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Flask, Request, Response, current_app
from werkzeug.exceptions import default_exceptions

from bff.common.errors import LaunchRefused
from bff.housekeeper import BackgroundThreads
from bff.serving.edge import Edge, trusted
from bff.serving.logs import tell_unknown
from bff.serving.settings import FaultySettings
from bff.settings import Settings, load_settings, unknown_settings
from bff.web import guest, headers
from bff.web.host_api import access_tokens, exchange, lists, receipts
from bff.web.host_api import calls as host_api
from bff.web.kit import audit, mount
from bff.web.kit.cookies import cookie_faults
from bff.web.kit.guards import refuse_nul, refuse_repeated_query
from bff.web.kit.responses import allow, foreseen, problem_of
from bff.web.kit.services import EXTENSION, Identify, Services, services
from bff.web.openapi import routes as openapi
from bff.web.popup import completion, endings, forms, looks, pages
from bff.web.popup.page import is_page
from bff.web.public import advice, files, health
from bff.web.studio import routes as studio_routes
from bff.web.studio.access import MAX_BYTES
from bff.web.studio.errors import is_studio, trouble
from bff.web.widget_api import attempts as attempt_routes
from bff.web.widget_api import beginning, config, press
from bff.web.widget_api import connections as connection_routes
from bff.wiring import build_services

MAX_BODY_BYTES: Final = 64 * 1024
LARGEST_BODY_BYTES: Final = 4 * MAX_BYTES
"""Bytes. A larger body is refused before routing. A smaller one that is too large for its route is refused by
the route, so that the Studio can show the reason beside the field."""


class Hitchpost:
    """Mounts the BFF in a host's own Flask app: that of the constructor, or later of ``init_app``.

    ``identify(request)`` returns the ``Principal`` of the app's own session, or None. ``settings`` default to
    those of the environment. Their public URL must end with ``url_prefix``. Raises ``FaultySettings``, also
    for an insecure or unusable session cookie of the app.

    The app's templates, limits of size and number, error pages, ``CSRFProtect`` and headers do not affect the
    BFF's routes. Each process starts its background threads at its first request, unless
    ``HITCHPOST_HOUSEKEEPING`` is ``off``.
    """

    def __init__(
        self,
        app: Flask | None = None,
        identify: Identify | None = None,
        *,
        settings: Settings | None = None,
        url_prefix: str = "/hitchpost",
    ) -> None:
        self._identify, self._settings, self._url_prefix = identify, settings, url_prefix
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Mount it in ``app``, for an app factory. Raises ``FaultySettings``."""
        identify, settings = self._identify, self._settings
        if EXTENSION in app.extensions:
            raise FaultySettings(["Hitchpost: this app has it already; mount it once in each app"])
        chosen = settings or load_settings()
        if settings is None:
            tell_unknown(unknown_settings())
        if identify is not None and not callable(identify):
            raise FaultySettings(["identify: is no function; write one that takes the request"])
        if identify is not None and (faults := list(cookie_faults(app.config))):
            raise FaultySettings(faults)
        prefix = mount.normal(self._url_prefix)
        if wrong := list(mount.faults(prefix, chosen.public_url)):
            raise FaultySettings(wrong)
        built = _mount(app, chosen, prefix, identify)
        self.beside = BackgroundThreads(built, wanted=chosen.housekeeping == "on")
        guest.before_hosts_hooks(app, _answer_error, MAX_BODY_BYTES)
        app.wsgi_app = guest.LastWord(app.wsgi_app, self.beside.start)  # type: ignore[method-assign]

    def handles(self, request: Request) -> bool:
        """Whether a request is for the BFF, which authenticates its callers itself.

        A ``before_request`` hook of your app that requires a login or a CSRF token should let these pass.
        """
        return mount.handles(current_app, request)


def _mount(app: Flask, settings: Settings, prefix: str, identify: Identify | None) -> Services:
    built = app.extensions[EXTENSION] = build_services(settings, identify)
    mount.place(app, build_blueprint(), prefix, settings.public_url)
    built.limits.learn(app)
    openapi.install(app, prefix, settings.public_url)
    return built


def create_app(settings: Settings | None = None) -> Flask:
    """The BFF as a program of its own."""
    chosen = settings or load_settings()
    app = Flask("bff", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY_BYTES
    # Merging would redirect, by an HTML page. An API call with two slashes gets a problem document (404).
    app.url_map.merge_slashes = False
    _mount(app, chosen, "", None)
    app.register_error_handler(Exception, _answer_error)
    # Also for requests that no route matches, which the blueprint's hooks do not see.
    app.after_request(audit.finish)
    app.after_request(headers.secure)
    app.wsgi_app = Edge(  # type: ignore[method-assign]
        app.wsgi_app,
        hosts=trusted(
            chosen.public_url, chosen.trusted_hosts, chosen.bind, development=not chosen.is_production
        ),
        hops=chosen.proxy_hops,
        max_body_bytes=LARGEST_BODY_BYTES,
        refuse=headers.refusals(app),
    )
    return app


def api_document(public_url: str) -> dict[str, Any]:
    """The OpenAPI document that a BFF at ``public_url`` serves. Raises ``Undeclared``."""
    app = Flask("bff", static_folder=None)
    app.register_blueprint(build_blueprint())
    return openapi.document(public_url, openapi.described(app, ""))


def build_blueprint() -> Blueprint:
    """All routes, with their error handlers: pages for people, problem documents (RFC 9457) for the rest."""
    whole = Blueprint(mount.NAME, __name__)
    whole.before_request(audit.begin)
    whole.after_request(audit.finish)
    whole.after_request(headers.secure)
    whole.before_request(refuse_nul)
    whole.before_request(refuse_repeated_query)
    whole.before_request(_count)
    for module in (
        beginning,
        config,
        attempt_routes,
        press,
        host_api,
        exchange,
        connection_routes,
        access_tokens,
        lists,
        pages,
        completion,
        forms,
        looks,
        advice,
        files,
        health,
        receipts,
    ):
        whole.register_blueprint(module.routes)
    whole.register_blueprint(openapi.routes)
    whole.register_blueprint(studio_routes)
    # For each status too: Flask prefers a host's handler for a status to ours for ``Exception``.
    for status in default_exceptions:
        whole.register_error_handler(status, _answer_error)
    whole.register_error_handler(Exception, _answer_error)
    return whole


def _count() -> None:
    services().limits.count()


def _answer_error(error: Exception) -> Response:
    known = foreseen(error)
    return allow(known, _response_to(known))


def _response_to(error: Exception) -> Response:
    path = mount.own_path()
    if is_studio(path):
        return trouble(error)
    if not is_page(path):
        return problem_of(error)
    if endings.waits(error):
        return endings.waiting_page(error)
    return endings.refused_launch(error) if isinstance(error, LaunchRefused) else endings.trouble(error)
