"""Health: alive means that the process answers; ready means that it can do its work."""

from __future__ import annotations

from flask import Blueprint, Response

from bff.serving import draining
from bff.serving.version import own_version
from bff.web.kit.responses import answer
from bff.web.kit.services import services

routes = Blueprint("hitchpost_health", __name__)


@routes.get("/health/live")
def live() -> Response:
    """The process answers; nothing else is asked."""
    return answer({"status": "ok", "version": own_version()})


@routes.get("/health/ready")
def ready() -> Response:
    """The database answers, its schema is this program's, and the program is not about to stop.

    An outage of the partner service does not make it unready, or one outage there would take every machine
    out here. 503 names what is lacking.
    """
    lacking = "stopping" if draining.has_begun() else services().upkeep.storage_fault()
    if lacking is None:
        return answer({"status": "ok", "version": own_version()})
    response = answer({"status": "unready", "lacking": lacking, "version": own_version()}, 503)
    response.headers["Retry-After"] = "5"
    return response
