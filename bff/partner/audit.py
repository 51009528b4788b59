"""Writes the audit log ``hitchpost.audit``, one line for each event."""

from __future__ import annotations

from typing import Any

import structlog
from flask import has_request_context, request

log = structlog.get_logger("hitchpost.audit")


def audit(event: str, **about: Any) -> None:
    """Log an event. ``about`` holds ids and results, never tokens, names or credentials."""
    client = request.remote_addr if has_request_context() else None
    log.info(event, client=client, **about)
