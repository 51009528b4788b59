"""Health checks: ``live`` (the process answers) and ``ready`` (it can do its work)."""

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
    """The program answers."""

    status: Literal["ok"]
    version: str


class Unready(BaseModel):
    """The program answers, but cannot do its work."""

    status: Literal["unready"]
    lacking: Literal["stopping", "database", "schema"]
    version: str


@routes.get("/health/live")
@describe.operation(
    Answer(200, "It answers.", Health), access=Access.ANYBODY, limit=UNCOUNTED, tag="operations"
)
def live() -> Response:
    """Whether the process answers. Checks nothing else."""
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
    """Whether the database answers, its schema is current, and the program is not about to stop.

    503 names what is lacking. An outage of the partner service does not make the program unready, as a load
    balancer would then remove every machine.
    """
    lacking = "stopping" if draining.has_begun() else services().upkeep.storage_fault()
    if lacking is None:
        return answer({"status": "ok", "version": own_version()})
    response = answer({"status": "unready", "lacking": lacking, "version": own_version()}, 503)
    response.headers["Retry-After"] = "5"
    return response
