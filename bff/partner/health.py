"""Health checks: liveness of the process, and readiness to serve requests."""

from __future__ import annotations

from flask import Blueprint, Response

from bff.partner.access import answer
from bff.partner.context import embedded
from bff.serving import draining
from bff.serving.version import own_version

routes = Blueprint("health", __name__)


@routes.get("/health/live")
def live() -> Response:
    """Liveness: always 200 while the process responds."""
    return answer({"status": "ok", "version": own_version()})


@routes.get("/health/ready")
def ready() -> Response:
    """Readiness: 503 if the database is unavailable, its schema does not match, or the process drains."""
    lacking = "stopping" if draining.has_begun() else embedded().database.fault()
    if lacking is None:
        return answer({"status": "ok", "version": own_version()})
    return answer({"status": "unready", "lacking": lacking, "version": own_version()}, 503)
