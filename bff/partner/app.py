"""The composition root of the embedded partner service."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import structlog
from flask import Flask, Response, request, send_from_directory
from werkzeug.exceptions import HTTPException

from bff.partner import clock, edge, health
from bff.partner.access import ACCOUNT_HEADER, answer
from bff.partner.api import (
    access_tokens,
    account_connectors,
    accounts,
    api_tokens,
    connectors,
    grant_inventory,
    properties,
    sign_in_tokens,
)
from bff.partner.context import EXTENSION, Embedded
from bff.partner.crypto import Vault
from bff.partner.errors import ApiError, FlowError, how_long_to_wait, missing
from bff.partner.grants import held as grants
from bff.partner.limits import Limits
from bff.partner.openapi import routes as openapi
from bff.partner.paths import AnyText, EncodedSlashes
from bff.partner.providers.catalogue import Catalogue, require_allowed
from bff.partner.providers.fixed_hosts import fixed_hosts
from bff.partner.providers.provider import Provider
from bff.partner.resources import ASSETS, TEMPLATES
from bff.partner.settings import Settings
from bff.partner.sign_in import callback, completion, oauth_flow, pages
from bff.partner.storage import tables
from bff.partner.storage.database import Database
from bff.serving.database import is_away
from bff.serving.logs import about
from bff.serving.rate_limits import storage_for

MAX_BODY_BYTES = 256 * 1024
PAGES = ("/connectorauth/", "/connector/")
"""Path prefixes of the browser pages. Everything else is the API."""
RETRY_SECONDS = 5
ONE_ACCOUNT: Final = "Hitchpost-One-Account"
"""Response header of an unforeseen error in a call about one account."""

log = structlog.get_logger("hitchpost.embedded")


def create_app(settings: Settings, catalogue: Catalogue) -> Flask:
    """Create the service: API and browser pages on one origin. Raises ``FaultyCatalogue``."""
    policy = settings.outbound_policy()
    require_allowed(catalogue, policy)
    policy = replace(policy, fixed_hosts=fixed_hosts(catalogue.connectors))
    app = Flask("partner", static_folder=None, template_folder=str(TEMPLATES))
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    database = Database(settings.database_url, settings.threads)
    clock.follow(database.clock)
    limits_url = settings.limits_url.get_secret_value() if settings.limits_url else None
    # Werkzeug would redirect double slashes, but the API answers unknown paths with a 404 in JSON.
    app.url_map.merge_slashes = False
    app.extensions[EXTENSION] = Embedded(
        settings=settings,
        database=database,
        limits=Limits(
            *storage_for(
                limits_url, database.engine, tables.rate_limit, workers=settings.workers, clock=clock.now
            )
        ),
        vault=Vault(settings.keys()),
        catalogue=catalogue,
        provider=Provider(policy, settings.redirect_uri),
    )
    _register(app)
    openapi.install(app, settings.public_url)
    app.register_error_handler(ApiError, _refused)
    app.register_error_handler(FlowError, pages.trouble)
    app.register_error_handler(Exception, _unforeseen)
    app.before_request(_no_nul)
    app.after_request(edge.secure)
    app.wsgi_app = edge.around(EncodedSlashes(app.wsgi_app), settings)  # type: ignore[method-assign]
    return app


def api_document(public_url: str) -> dict[str, Any]:
    """Make the OpenAPI document of a service at ``public_url``. Raises ``Undeclared``."""
    app = Flask("partner", static_folder=None)
    _register(app)
    return openapi.document(public_url, openapi.described(app))


def _register(app: Flask) -> None:
    app.url_map.converters["any_text"] = AnyText
    for module in (
        api_tokens,
        accounts,
        connectors,
        account_connectors,
        access_tokens,
        grants,
        grant_inventory,
        properties,
        sign_in_tokens,
        oauth_flow,
        callback,
        completion,
        openapi,
        health,
    ):
        app.register_blueprint(module.routes)
    app.add_url_rule("/assets/<name>", view_func=_asset)


def _asset(name: str) -> Response:
    return send_from_directory(ASSETS, name, max_age=300)


def _refused(error: ApiError) -> Response:
    response = answer({"Message": error.message}, error.status)
    response.headers.update(how_long_to_wait(error))
    return response


def _unforeseen(error: Exception) -> Response:
    if is_away(error):
        return _without_database(error)
    if request.path.startswith(PAGES):
        return _error_page(error)
    if isinstance(error, HTTPException) and error.code is not None:
        response = answer({"Message": error.description or error.name}, error.code)
        if allowed := getattr(error, "valid_methods", None):
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response
    log.error("unforeseen error", **about(error))
    response = answer({"Message": "An error has occurred."}, 500)
    if request.headers.get(ACCOUNT_HEADER) or "account_id" in (request.view_args or {}):
        # What fails for one account is no outage: the caller's circuit breaker need not count it.
        response.headers[ONE_ACCOUNT] = "1"
    return response


def _without_database(error: Exception) -> Response:
    log.error("database unavailable", **about(error))
    if request.path.startswith(PAGES):
        # A GET changed nothing, so its page can reload itself.
        again_in = RETRY_SECONDS if request.method == "GET" else None
        return pages.trouble(FlowError(503, "failed", retry_after=RETRY_SECONDS, again_in=again_in))
    message = "The database cannot be used now; nothing was done."
    return _refused(ApiError(503, message, retry_after=RETRY_SECONDS))


def _error_page(error: Exception) -> Response:
    """Make an error page. Browser paths never answer with JSON."""
    status = error.code if isinstance(error, HTTPException) and error.code is not None else 500
    if status >= 500:
        log.error("unforeseen error", **about(error))
    page = pages.trouble(FlowError(status, "failed" if status >= 500 else "stale_flow"))
    if allowed := getattr(error, "valid_methods", None):
        page.headers["Allow"] = ", ".join(sorted(allowed))
    return page


def _no_nul() -> None:
    # PostgreSQL rejects text with NUL, also in the parameters of a query.
    if "\x00" in request.path and request.path.startswith("/v1.0/"):
        raise missing("Path")
