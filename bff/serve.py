"""``hitchpost serve``: the arbiter, which knows the settings, and its workers, which have the app."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from bff.serving.loading import kept
from bff.serving.logs import configure
from bff.serving.server import Server, Serving
from bff.settings import FaultySettings, Settings, load_settings

if TYPE_CHECKING:
    from flask import Flask


def serve() -> int:
    """Run the BFF until it is stopped. Raises ``FaultySettings``."""
    serving = _serving()
    Server(serving, check=_faults, again=_serving).run()
    return 0


def _serving() -> Serving:
    """What is served by the settings as they are now. Raises ``FaultySettings``."""
    settings = load_settings()
    _require_tracing(settings)
    if settings.workers > 1 and settings.worker == "threads":
        # Loaded before the fork, it is there once for all of them. A single worker shares it with nobody:
        # what it writes to, be it a count of references, it would have a second time. Greenlets need it
        # loaded after the standard library was patched, which is done in the workers.
        load()

    def build(replacing: bool) -> Flask:
        # The product file is applied by the first workers and by a reload, not by one that replaces another.
        app = load()(settings.model_copy(update={"products": None}) if replacing else settings)
        if not replacing:
            # A reload reads what it may have been asked for: the partner service's catalogue, too.
            import_module("bff.web.kit.services").services_of(app).catalogue.ask_anew()
        if settings.telemetry == "on":
            import_module("bff.serving.telemetry").instrument(app, "hitchpost")
        return app

    configure(settings.log_format)
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
    """What is wrong with the settings and the product file as they are now."""
    from bff.products.production import product_faults  # noqa: PLC0415  # only where it is checked

    try:
        settings = load_settings()
        _require_tracing(settings)
    except FaultySettings as error:
        return error.faults
    networks = settings.allowed_webhook_networks
    return product_faults(settings.products, production=settings.is_production, networks=networks)


def load() -> Callable[[Settings], Flask]:
    """What builds the app and starts its housekeeping, with all that they import."""
    with kept():
        from bff.app import create_app  # noqa: PLC0415  # only where it is built
        from bff.housekeeper import Housekeeper  # noqa: PLC0415
        from bff.web.kit.services import services_of  # noqa: PLC0415

    def start(settings: Settings) -> Flask:
        app = create_app(settings)
        services = services_of(app)
        Housekeeper(services.upkeep.housekeeping, health=services.connections.health).start()
        services.upkeep.checkpoints.start()
        services.webhooks.new_courier().start()
        return app

    return start


def _require_tracing(settings: Settings) -> None:
    if settings.telemetry == "on" and find_spec("opentelemetry") is None:
        needs = "HITCHPOST_TELEMETRY: needs: pip install 'hitchpost[opentelemetry]'"
        raise FaultySettings([needs])
