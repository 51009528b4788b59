"""The composition root: services, routes, and what stands around them, as one Flask app."""

from __future__ import annotations

from typing import Final

import jinja2
from flask import Blueprint, Flask, Response, request

from bff.core.errors import LaunchRefused
from bff.http import attempts as attempt_routes
from bff.http import (
    audit,
    completion,
    exchange,
    files,
    headers,
    health,
    host_api,
    looks,
    pages,
    press,
    receipts,
)
from bff.http.cookies import cookie_faults
from bff.http.guards import refuse_nul, refuse_repeated_query
from bff.http.limits import Limits as CallLimits
from bff.http.openapi.routes import routes as openapi_routes
from bff.http.responses import allow, foreseen, problem_of
from bff.http.services import EXTENSION, Identify
from bff.http.studio import routes as studio_routes
from bff.http.studio.access import MAX_BYTES
from bff.http.studio.errors import is_studio, trouble
from bff.resources import TEMPLATES
from bff.serving.edge import Edge, trusted
from bff.settings import FaultySettings, Settings, load_settings
from bff.wiring import build_services

MAX_BODY_BYTES: Final = 64 * 1024
LARGEST_BODY_BYTES: Final = 4 * MAX_BYTES
"""A body beyond it is refused before any route is looked for. One that is merely too large for its route is
refused there: an editor in the Studio then reads a page, with the reason beside the field."""


class Hitchpost:
    """Mounts the BFF in a host's own Flask app.

    ``identify(request)`` returns the ``Principal`` of the app's own session, or None. ``settings`` come from
    the environment unless given; ``HITCHPOST_PUBLIC_URL`` must then end with ``url_prefix``. Raises
    ``FaultySettings``, also for a session cookie of the app that cannot work or is given away.
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
        built = app.extensions[EXTENSION] = build_services(chosen, identify)
        app.register_blueprint(build_blueprint(built.limits), url_prefix=url_prefix or None)
        loaders = [loader for loader in (app.jinja_loader, jinja2.FileSystemLoader(TEMPLATES)) if loader]
        app.jinja_loader = jinja2.ChoiceLoader(loaders)


def create_app(settings: Settings | None = None) -> Flask:
    """The BFF as a program of its own."""
    chosen = settings or load_settings()
    app = Flask("bff", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY_BYTES
    # A redirect to the path with one slash would be a page, where a problem document is wanted.
    app.url_map.merge_slashes = False
    Hitchpost(app, settings=chosen, url_prefix="")
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
    whole = Blueprint("hitchpost", __name__)
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
        pages,
        completion,
        looks,
        files,
        health,
        receipts,
    ):
        whole.register_blueprint(module.routes)
    whole.register_blueprint(openapi_routes)
    whole.register_blueprint(studio_routes)
    whole.register_error_handler(Exception, _answer_error)
    return whole


def _answer_error(error: Exception) -> Response:
    known = foreseen(error)
    return allow(known, _told(known))


def _told(error: Exception) -> Response:
    if is_studio(request.path):
        return trouble(error)
    if not pages.is_page(request.path):
        return problem_of(error)
    return pages.refused_launch(error) if isinstance(error, LaunchRefused) else pages.trouble(error)
