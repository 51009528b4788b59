"""Health: alive means that the process answers; ready means that it can do its work."""

from __future__ import annotations

from typing import Literal

from flask import Blueprint, Response
from pydantic import BaseModel

from bff.openapi.operation import Answer
from bff.serving import draining
from bff.serving.version import own_version
from bff.web.kit.limits import UNCOUNTED
from bff.web.kit.responses import answer
from bff.web.kit.services import services
from bff.web.openapi import describe
from bff.web.openapi.describe import Access

routes = Blueprint("hitchpost_health", __name__)


class Health(BaseModel):
    """It answers."""

    status: Literal["ok"]
    version: str


class Unready(BaseModel):
    """It answers, and cannot do its work."""

    status: Literal["unready"]
    lacking: Literal["stopping", "database", "schema"]
    version: str


@routes.get("/health/live")
@describe.operation(
    Answer(200, "It answers.", Health), access=Access.ANYBODY, limit=UNCOUNTED, tag="operations"
)
def live() -> Response:
    """The process answers; nothing else is asked."""
    return answer({"status": "ok", "version": own_version()})


@routes.get("/health/ready")
@describe.operation(
    Answer(200, "It can work.", Health),
    Answer(503, "It cannot, and this is lacking.", Unready, headers=(describe.RETRY_AFTER,)),
    access=Access.ANYBODY,
    limit=UNCOUNTED,
    tag="operations",
)
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
