"""Runs the embedded partner service: the arbiter knows settings and catalogue, its workers have the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bff.partner.providers.catalogue import FaultyCatalogue, read_catalogue, require_allowed
from bff.partner.settings import FaultySettings, load_settings
from bff.serving.loading import kept
from bff.serving.logs import configure
from bff.serving.server import Server, Serving

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
    """What is served by settings and catalogue as they are now."""
    settings = load_settings()
    catalogue = read_catalogue(settings.catalogue)
    require_allowed(catalogue, settings.outbound_policy())
    if settings.workers > 1 and settings.worker == "threads":
        load()
    configure(settings.log_format)
    return Serving(
        lambda replacing: load()(settings, catalogue, replacing),
        bind=settings.bind,
        threads=settings.threads,
        workers=settings.workers,
        drain_seconds=settings.seconds_to_drain,
        metrics_bind=settings.metrics_bind,
        worker=settings.worker,
        connections=settings.connections,
    )


def _faults() -> list[str]:
    """What is wrong with settings and catalogue as they are now."""
    try:
        _serving()
    except (FaultySettings, FaultyCatalogue) as error:
        return error.faults
    return []


def load() -> Callable[[Settings, Catalogue, bool], Flask]:
    """What builds the app and starts its housekeeping, with all that they import."""
    with kept():
        from bff.partner.app import create_app  # noqa: PLC0415  # only where it is built
        from bff.partner.context import EXTENSION, Embedded  # noqa: PLC0415
        from bff.partner.housekeeping import Housekeeper  # noqa: PLC0415
        from bff.partner.key_faults import foreign_keys  # noqa: PLC0415
        from bff.serving.checkpoints import Checkpoints  # noqa: PLC0415

    def start(settings: Settings, catalogue: Catalogue, replacing: bool) -> Flask:
        app = create_app(settings, catalogue)
        service = app.extensions[EXTENSION]
        assert isinstance(service, Embedded)  # nosec B101  # for the type checker
        # Looked at by the first workers and at a reload, as a product file is applied then.
        if not replacing and (faults := foreign_keys(service.database, service.vault)):
            raise FaultySettings(faults)
        Housekeeper(service).start()
        Checkpoints(service.database.engine).start()
        return app

    return start
