"""``hitchpost serve``: an arbiter process that reads the settings, and worker processes that run the app."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from bff.serving.loading import kept
from bff.serving.logs import configure, tell_unknown
from bff.serving.server import Server, Serving
from bff.serving.settings import FaultySettings
from bff.settings import Settings, load_settings, unknown_settings

if TYPE_CHECKING:
    from flask import Flask


def serve() -> int:
    """Run the BFF until it is stopped. Returns the exit status. Raises ``FaultySettings``."""
    serving = _serving()
    Server(serving, check=_faults, again=_serving).run()
    return 0


def _serving() -> Serving:
    """Read the settings and say how to serve by them. Raises ``FaultySettings``."""
    settings = load_settings()
    _require_tracing(settings)
    if settings.workers > 1 and settings.worker == "threads":
        # Loaded before the fork, so that the workers share its memory. A single worker would gain nothing,
        # and copy the pages it writes to (reference counts). Greenlet workers must load it themselves, after
        # they have patched the standard library.
        load()

    def build(replacing: bool) -> Flask:
        # The product file is applied at start and on reload, but not when a worker replaces a dead one.
        app = load()(
            settings.model_copy(update={"products": None}) if replacing else settings, replacing=replacing
        )
        if not replacing:
            # An operator may reload because the partner service's catalogue has changed.
            import_module("bff.web.kit.services").services_of(app).catalogue.ask_anew()
        if settings.telemetry == "on":
            import_module("bff.serving.telemetry").instrument(app, "hitchpost")
        return app

    configure(settings.log_format)
    tell_unknown(unknown_settings())
    return Serving(
        build,
        bind=settings.bind,
        threads=settings.threads,
        workers=settings.workers,
        drain_seconds=settings.seconds_to_drain,
        metrics_bind=settings.metrics_bind,
        worker=settings.worker,
        connections=settings.connections,
    )


def _faults() -> list[str]:
    """The faults of the settings and the product file, before a reload."""
    from bff.products.conflicts import stored_conflicts  # noqa: PLC0415  # not loaded into the arbiter
    from bff.products.production import product_faults  # noqa: PLC0415
    from bff.webhooks.key_faults import stored_foreign_keys  # noqa: PLC0415

    try:
        settings = load_settings()
        _require_tracing(settings)
    except FaultySettings as error:
        return error.faults
    networks = settings.allowed_webhook_networks
    faults = product_faults(settings.products, production=settings.is_production, networks=networks)
    if faults:
        return faults
    conflicts = stored_conflicts(settings.products, settings.database_url, settings.public_url)
    return conflicts + stored_foreign_keys(settings)


def load() -> Callable[..., Flask]:
    """Import the app. Returns a function that builds it and starts its background threads."""
    with kept():
        from bff.app import create_app  # noqa: PLC0415  # not loaded into the arbiter of a single worker
        from bff.housekeeper import Housekeeper  # noqa: PLC0415
        from bff.web.kit.services import services_of  # noqa: PLC0415

    def start(settings: Settings, *, replacing: bool = False) -> Flask:
        app = create_app(settings)
        services = services_of(app)
        # Check the keys at startup and at a reload, not when a worker is replaced.
        if not replacing and (faults := services.webhooks.service.endpoints.foreign_keys()):
            raise FaultySettings(faults)
        Housekeeper(services.upkeep.housekeeping, health=services.connections.health).start()
        services.upkeep.checkpoints.start()
        services.webhooks.new_courier().start()
        return app

    return start


def _require_tracing(settings: Settings) -> None:
    if settings.telemetry == "on" and find_spec("opentelemetry") is None:
        needs = "HITCHPOST_TELEMETRY: needs: pip install 'hitchpost[opentelemetry]'"
        raise FaultySettings([needs])
