"""Runs the server. The arbiter process reads settings and catalogue; its workers load the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bff.partner.providers.catalogue import FaultyCatalogue, read_catalogue, require_allowed
from bff.partner.settings import PREFIX, load_settings, unknown_settings
from bff.serving.loading import kept
from bff.serving.logs import configure, tell_unknown
from bff.serving.server import Server, Serving
from bff.serving.settings import FaultySettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from bff.partner.providers.catalogue import Catalogue
    from bff.partner.settings import Settings


def serve() -> int:
    """Serve until stopped. Raises ``FaultySettings`` or ``FaultyCatalogue``."""
    Server(_serving(), check=_faults, again=_serving).run()
    return 0


def _serving() -> Serving:
    """Read settings and catalogue, and return the server configuration."""
    settings = load_settings()
    catalogue = read_catalogue(settings.catalogue)
    require_allowed(catalogue, settings.outbound_policy())
    if settings.workers > 1 and settings.worker == "threads":
        load()
    configure(settings.log_format)
    tell_unknown(unknown_settings())
    return Serving(
        lambda replacing: load()(settings, catalogue, replacing),
        bind=settings.bind,
        threads=settings.threads,
        workers=settings.workers,
        drain_seconds=settings.seconds_to_drain,
        metrics_bind=settings.metrics_bind,
        worker=settings.worker,
        connections=settings.connections,
        prefix=PREFIX,
        name="hitchpost partner",
    )


def _faults() -> list[str]:
    """The faults of the current settings and catalogue."""
    try:
        _serving()
    except (FaultySettings, FaultyCatalogue) as error:
        return error.faults
    return []


def load() -> Callable[[Settings, Catalogue, bool], Flask]:
    """Import the app. Return a function that creates it and starts its background threads."""
    with kept():
        from bff.partner.app import create_app  # noqa: PLC0415  # import in the worker only
        from bff.partner.context import EXTENSION, Embedded  # noqa: PLC0415
        from bff.partner.housekeeping import Housekeeper  # noqa: PLC0415
        from bff.partner.key_faults import foreign_keys  # noqa: PLC0415
        from bff.serving.checkpoints import Checkpoints  # noqa: PLC0415

    def start(settings: Settings, catalogue: Catalogue, replacing: bool) -> Flask:
        app = create_app(settings, catalogue)
        service = app.extensions[EXTENSION]
        assert isinstance(service, Embedded)  # noqa: S101  # for the type checker
        # Check the keys at startup and at a reload, not when a worker is replaced.
        if not replacing and (faults := foreign_keys(service.database, service.vault)):
            raise FaultySettings(faults)
        Housekeeper(service).start()
        Checkpoints(service.database.engine).start()
        return app

    return start
