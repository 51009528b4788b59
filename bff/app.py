"""The composition root: settings, adapters, services, Flask. Only here are the real things chosen."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Final

import jinja2
from flask import Blueprint, Flask, Response, request
from sqlalchemy import Engine

from bff.adapters.attempt_store import DatabaseAttempts
from bff.adapters.content_store import ContentStore
from bff.adapters.database import open_database, upgrade
from bff.adapters.events import LoggedEvents
from bff.adapters.http_client import Limits
from bff.adapters.image_store import DatabaseImages
from bff.adapters.partner_client import PartnerClient
from bff.adapters.product_file import read_products
from bff.adapters.product_store import DatabaseProducts
from bff.adapters.receipts import Receipts
from bff.adapters.studio_store import DatabaseStudio
from bff.core.catalogue import Catalogue
from bff.core.connect import Connect
from bff.core.errors import LaunchRefused
from bff.core.overview import Overview
from bff.core.secret import Secret
from bff.core.sign_in_urls import Installer, SignInUrls
from bff.core.watch import Watch
from bff.http import attempts as attempt_routes
from bff.http import files, health, host_api, looks, pages, receipts
from bff.http.responses import problem_of
from bff.http.services import EXTENSION, Identify, Services
from bff.http.session_tokens import SessionTokens
from bff.http.studio import routes as studio_routes
from bff.http.studio.draft_products import DraftProducts
from bff.http.studio.errors import is_studio, trouble
from bff.resources import TEMPLATES
from bff.settings import Settings, load_settings

MAX_BODY_BYTES: Final = 64 * 1024


class Hitchpost:
    """Mounts the BFF in a host's own Flask app.

    ``identify(request)`` returns the ``Principal`` of the app's own session, or None. ``settings`` come from
    the environment unless given; ``HITCHPOST_PUBLIC_URL`` must then end with ``url_prefix``.
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
        app.extensions[EXTENSION] = build_services(chosen, identify)
        app.register_blueprint(build_blueprint(), url_prefix=url_prefix or None)
        loaders = [loader for loader in (app.jinja_loader, jinja2.FileSystemLoader(TEMPLATES)) if loader]
        app.jinja_loader = jinja2.ChoiceLoader(loaders)


def create_app(settings: Settings | None = None) -> Flask:
    """The BFF as a program of its own."""
    app = Flask("bff", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY_BYTES
    Hitchpost(app, settings=settings, url_prefix="")
    app.register_error_handler(Exception, _answer_error)
    return app


def build_services(settings: Settings, identify: Identify | None = None) -> Services:
    """Everything that the routes work with, from the settings."""
    engine = open_database(settings.database_url)
    upgrade(engine)
    products = DatabaseProducts(engine, settings.partner_service_url)
    if settings.products is not None:
        for applied in read_products(settings.products):
            products.put(applied.registration, applied.content, applied.secret_keys)
    return _wire(settings, engine, products, identify)


def _wire(
    settings: Settings, engine: Engine, products: DatabaseProducts, identify: Identify | None
) -> Services:
    partner = PartnerClient(
        settings.partner_api_url,
        settings.partner_client_id,
        Secret(settings.partner_client_secret.get_secret_value()),
        Limits(
            connect=settings.partner_connect_timeout,
            read=settings.partner_read_timeout,
            total=settings.partner_total_timeout,
        ),
    )
    catalogue = Catalogue(partner, _now)
    installer = Installer(partner, catalogue)
    attempts = DatabaseAttempts(engine)
    watch = Watch(attempts, partner, LoggedEvents(), _now)
    connect = Connect(
        attempts,
        partner,
        watch,
        catalogue,
        installer,
        public_url=settings.public_url,
        partner_service_url=settings.partner_service_url,
        clock=_now,
        random_token=_random_token,
    )
    content = ContentStore(engine, _now)
    return Services(
        connect=connect,
        watch=watch,
        attempts=attempts,
        overview=Overview(partner, catalogue, _now),
        catalogue=catalogue,
        sign_in_urls=SignInUrls(partner, installer, settings.partner_service_url),
        products=DraftProducts(products, content, settings.public_origin),
        content=content,
        images=DatabaseImages(engine),
        studio=DatabaseStudio(engine, _now, _random_token),
        receipts=Receipts(settings.signing_keys(), settings.public_url),
        session_tokens=SessionTokens(settings.signing_keys(), _now),
        identify=identify,
        clock=_now,
        public_url=settings.public_url,
        public_origin=settings.public_origin,
        partner_origin=settings.partner_origin,
    )


def build_blueprint() -> Blueprint:
    """Every route, with its errors answered in its own kind: pages in words, the rest as problems."""
    whole = Blueprint("hitchpost", __name__)
    for module in (attempt_routes, host_api, pages, looks, files, health, receipts):
        whole.register_blueprint(module.routes)
    whole.register_blueprint(studio_routes)
    whole.register_error_handler(Exception, _answer_error)
    return whole


def _answer_error(error: Exception) -> Response:
    if is_studio(request.path):
        return trouble(error)
    if not pages.is_page(request.path):
        return problem_of(error)
    return pages.refused_launch(error) if isinstance(error, LaunchRefused) else pages.trouble(error)


def _now() -> datetime:
    return datetime.now(UTC)


def _random_token() -> str:
    return secrets.token_urlsafe(32)
