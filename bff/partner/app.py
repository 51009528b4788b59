"""The composition root of the embedded partner service."""

from __future__ import annotations

import logging

from flask import Flask, Response, send_from_directory
from werkzeug.exceptions import HTTPException

from bff.partner import (
    account_connectors,
    accounts,
    api_tokens,
    connectors,
    grants,
    oauth_flow,
    pages,
    properties,
    sign_in_tokens,
)
from bff.partner.api import answer
from bff.partner.catalogue import Catalogue
from bff.partner.context import EXTENSION, Embedded
from bff.partner.crypto import Vault
from bff.partner.database import Database
from bff.partner.errors import ApiError, FlowError
from bff.partner.paths import AnyText, EncodedSlashes
from bff.partner.provider import Provider
from bff.partner.resources import ASSETS, TEMPLATES
from bff.partner.settings import Settings

MAX_BODY_BYTES = 256 * 1024
log = logging.getLogger("hitchpost.embedded")


def create_app(settings: Settings, catalogue: Catalogue) -> Flask:
    """The service: API and browser pages on one origin."""
    app = Flask("partner", static_folder=None, template_folder=str(TEMPLATES))
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.url_map.converters["any_text"] = AnyText
    app.extensions[EXTENSION] = Embedded(
        settings=settings,
        database=Database(settings.database_url),
        vault=Vault(settings.keys()),
        catalogue=catalogue,
        provider=Provider(),
    )
    for module in (
        api_tokens,
        accounts,
        connectors,
        account_connectors,
        grants,
        properties,
        sign_in_tokens,
        oauth_flow,
    ):
        app.register_blueprint(module.routes)
    app.add_url_rule("/health/live", view_func=_live)
    app.add_url_rule("/assets/<name>", view_func=_asset)
    app.register_error_handler(ApiError, lambda error: answer({"Message": error.message}, error.status))
    app.register_error_handler(FlowError, pages.trouble)
    app.register_error_handler(Exception, _unforeseen)
    app.after_request(_no_sniffing)
    app.wsgi_app = EncodedSlashes(app.wsgi_app)  # type: ignore[method-assign]
    return app


def _live() -> str:
    return "ok"


def _asset(name: str) -> Response:
    return send_from_directory(ASSETS, name, max_age=300)


def _unforeseen(error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.code is not None:
        response = answer({"Message": error.description or error.name}, error.code)
        if allowed := getattr(error, "valid_methods", None):
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response
    log.error("unforeseen error", exc_info=error)
    return answer({"Message": "An error has occurred."}, 500)


def _no_sniffing(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
