"""Health: alive means that the process answers; ready means that it can do its work."""

from __future__ import annotations

from flask import Blueprint, Response

from bff.http.responses import answer
from bff.http.services import services

routes = Blueprint("hitchpost_health", __name__)


@routes.get("/health/live")
def live() -> Response:
    """The process answers; nothing else is asked."""
    return answer({"status": "ok"})


@routes.get("/health/ready")
def ready() -> Response:
    """The database answers. An outage of the partner service does not make this program unready."""
    services().products.is_registered_origin("")
    return answer({"status": "ok"})
