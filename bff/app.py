"""The composition root: services, routes, and what stands around them, as one Flask app."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Flask, Request, Response
from werkzeug.exceptions import default_exceptions

from bff.common.errors import LaunchRefused
from bff.housekeeper import InEachProcess
from bff.serving.edge import Edge, trusted
from bff.settings import FaultySettings, Settings, load_settings
from bff.web import guest, headers
from bff.web.host_api import access_tokens, exchange, lists, receipts
from bff.web.host_api import calls as host_api
from bff.web.kit import audit, mount
from bff.web.kit.cookies import cookie_faults
from bff.web.kit.guards import refuse_nul, refuse_repeated_query
from bff.web.kit.limits import Limits as CallLimits
from bff.web.kit.responses import allow, foreseen, problem_of
from bff.web.kit.services import EXTENSION, Identify, Services
from bff.web.openapi.routes import routes as openapi_routes
from bff.web.popup import completion, endings, forms, looks, pages
from bff.web.popup.page import is_page
from bff.web.public import advice, files, health
from bff.web.studio import routes as studio_routes
from bff.web.studio.access import MAX_BYTES
from bff.web.studio.errors import is_studio, trouble
from bff.web.widget_api import attempts as attempt_routes
from bff.web.widget_api import connections as connection_routes
from bff.web.widget_api import press
from bff.wiring import build_services

MAX_BODY_BYTES: Final = 64 * 1024
LARGEST_BODY_BYTES: Final = 4 * MAX_BYTES
"""A body beyond it is refused before any route is looked for. One that is merely too large for its route is
refused there: an editor in the Studio then reads a page, with the reason beside the field."""


class Hitchpost:
    """Mounts the BFF in a host's own Flask app.

    ``identify(request)`` returns the ``Principal`` of the app's own session, or None. ``settings`` come from
    the environment unless given; ``HITCHPOST_PUBLIC_URL`` must then end with ``url_prefix``, which may be
    any. Raises ``FaultySettings``, also for a session cookie of the app that cannot work or is given away.

    The app's templates, limits of size, error pages, ``CSRFProtect`` and headers concern its own pages alone.
    What runs beside the requests begins with the first one of each process, unless
    ``HITCHPOST_HOUSEKEEPING`` is ``off``.
    """

    def __init__(
        self,
        app: Flask,
        identify: Identify | None = None,
        *,
        settings: Settings | None = None,
        url_prefix: str = "/hitchpost",
    ) -> None:
        chosen = settings or load_settings()
        if identify is not None and (faults := list(cookie_faults(app.config))):
            raise FaultySettings(faults)
        prefix = mount.normal(url_prefix)
        if not chosen.public_url.endswith(prefix):
            raise FaultySettings([f"HITCHPOST_PUBLIC_URL: must end with {prefix}, where the BFF is mounted"])
        self._app = app
        built = _mount(app, chosen, prefix, identify)
        self.beside = InEachProcess(built, wanted=chosen.housekeeping == "on")
        guest.before_hosts_hooks(app, _answer_error, MAX_BODY_BYTES)
        app.wsgi_app = guest.LastWord(app.wsgi_app, self.beside.begin)  # type: ignore[method-assign]

    def handles(self, request: Request) -> bool:
        """Whether a request is for the BFF, which asks itself who calls: for the hooks of your own app.

        A hook that sends everybody to sign in, or checks a token of your forms, lets these pass.
        """
        return mount.handles(self._app, request)


def _mount(app: Flask, settings: Settings, prefix: str, identify: Identify | None) -> Services:
    built = app.extensions[EXTENSION] = build_services(settings, identify)
    mount.place(app, prefix)
    app.register_blueprint(build_blueprint(built.limits), url_prefix=prefix or None)
    return built


def create_app(settings: Settings | None = None) -> Flask:
    """The BFF as a program of its own."""
    chosen = settings or load_settings()
    app = Flask("bff", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY_BYTES
    # A redirect to the path with one slash would be a page, where a problem document is wanted.
    app.url_map.merge_slashes = False
    _mount(app, chosen, "", None)
    app.register_error_handler(Exception, _answer_error)
    # Once more for what no route answers: mounted in a host's app, that is the host's own business.
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


def build_blueprint(limits: CallLimits) -> Blueprint:
    """Every route, with its errors answered in its own kind: pages in words, the rest as problems."""
    whole = Blueprint(mount.NAME, __name__)
    whole.before_request(audit.begin)
    whole.after_request(audit.finish)
    whole.after_request(headers.secure)
    whole.before_request(refuse_nul)
    whole.before_request(refuse_repeated_query)
    limits.guard(whole)
    for module in (
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
    whole.register_blueprint(openapi_routes)
    whole.register_blueprint(studio_routes)
    # Each status by itself: a handler that a host has for one goes before ours for any.
    for status in default_exceptions:
        whole.register_error_handler(status, _answer_error)
    whole.register_error_handler(Exception, _answer_error)
    return whole


def _answer_error(error: Exception) -> Response:
    known = foreseen(error)
    return allow(known, _told(known))


def _told(error: Exception) -> Response:
    path = mount.own_path()
    if is_studio(path):
        return trouble(error)
    if not is_page(path):
        return problem_of(error)
    if endings.waits(error):
        return endings.waiting_page(error)
    return endings.refused_launch(error) if isinstance(error, LaunchRefused) else endings.trouble(error)
