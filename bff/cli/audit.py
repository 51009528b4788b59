"""Writes audit events of commands to standard error. Standard output is for their results."""

from __future__ import annotations

import sys
from typing import Any

import structlog

from bff.common.actors import OPERATOR
from bff.serving.logs import keep_listed


def record(event: str, **fields: Any) -> None:
    """Write an audit event of an operator as a JSON line, like those of the servers."""
    log = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            keep_listed,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    log.info(event, logger="hitchpost.audit", actor=OPERATOR, **fields)
