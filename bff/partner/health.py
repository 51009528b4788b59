"""Health: alive means that the process answers; ready means that it can do its work."""

from __future__ import annotations

from flask import Blueprint, Response

from bff.partner.access import answer
from bff.partner.context import embedded
from bff.serving import draining
from bff.serving.version import own_version

routes = Blueprint("health", __name__)


@routes.get("/health/live")
def live() -> Response:
    """The process answers; nothing else is asked."""
    return answer({"status": "ok", "version": own_version()})


@routes.get("/health/ready")
def ready() -> Response:
    """The database answers, its schema is this program's, and the program is not about to stop."""
    lacking = "stopping" if draining.has_begun() else embedded().database.fault()
    if lacking is None:
        return answer({"status": "ok", "version": own_version()})
    return answer({"status": "unready", "lacking": lacking, "version": own_version()}, 503)
