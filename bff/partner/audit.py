"""Who did what, for those who have to know later: one line an event, in the log ``hitchpost.audit``."""

from __future__ import annotations

from typing import Any

import structlog
from flask import has_request_context, request

log = structlog.get_logger("hitchpost.audit")


def audit(event: str, **about: Any) -> None:
    """One event. Ids and results are told; tokens, names and credentials are not."""
    client = request.remote_addr if has_request_context() else None
    log.info(event, client=client, **about)
