"""``hitchpost serve``: the arbiter, which knows the settings, and its workers, which have the app."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from bff.serving.loading import kept
from bff.serving.logs import configure
from bff.serving.server import Server
from bff.settings import FaultySettings, Settings, load_settings

if TYPE_CHECKING:
    from flask import Flask


def serve() -> int:
    """Run the BFF until it is stopped. Raises ``FaultySettings``."""
    settings = load_settings()
    trace = _tracing() if settings.telemetry == "on" else None
    if settings.workers > 1:
        # Loaded before the fork, it is there once for all of them. A single worker shares it with nobody:
        # what it writes to, be it a count of references, it would have a second time.
        load()

    def build() -> Flask:
        app = load()(settings)
        if trace:
            trace(app, "hitchpost")
        return app

    configure(settings.log_format)
    Server(
        build,
        bind=settings.bind,
        threads=settings.threads,
        workers=settings.workers,
        drain_seconds=settings.seconds_to_drain,
        metrics_bind=settings.metrics_bind,
    ).run()
    return 0


def load() -> Callable[[Settings], Flask]:
    """What builds the app and starts its housekeeping, with all that they import."""
    with kept():
        from bff.app import create_app  # noqa: PLC0415  # only where it is built
        from bff.housekeeper import Housekeeper  # noqa: PLC0415
        from bff.http.services import services_of  # noqa: PLC0415

    def start(settings: Settings) -> Flask:
        app = create_app(settings)
        services = services_of(app)
        Housekeeper(services.housekeeping).start()
        services.checkpoints.start()
        return app

    return start


def _tracing() -> Callable[[Flask, str], Any]:
    """What makes an app send traces. Raises ``FaultySettings`` when the extra is not installed."""
    try:
        return import_module("bff.serving.telemetry").instrument  # type: ignore[no-any-return]
    except ImportError:
        needs = "HITCHPOST_TELEMETRY: needs: pip install 'hitchpost[opentelemetry]'"
        raise FaultySettings([needs]) from None
